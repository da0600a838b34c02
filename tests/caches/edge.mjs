// Runs a Worker as Cloudflare would, as far as its recipe needs: node edge.mjs WORKER PORT ORIGIN
import http from "node:http";
import { pathToFileURL } from "node:url";

const [, , worker, port, origin] = process.argv;
const agent = new http.Agent();
const stored = new Map();

globalThis.caches = {
  open: async () => ({
    match: async (key) => {
      const entry = stored.get(key);
      return entry && entry.until > Date.now() ? new Response(entry.body, entry) : undefined;
    },
    put: async (key, response) => {
      const control = response.headers.get("cache-control") ?? "";
      if (response.status === 206 || response.headers.get("vary") === "*") throw new TypeError("cannot be put");
      if (response.headers.has("set-cookie") || /private|no-store|no-cache/.test(control)) return;
      const until = Date.now() + 1000 * Number(/max-age=(\d+)/.exec(control)?.[1] ?? 0);
      const { status } = response;
      stored.set(key, { body: await response.arrayBuffer(), status, headers: [...response.headers], until });
    },
  }),
};

globalThis.fetch = async (input) => {
  const request = new Request(input);
  const { pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const options = { method: request.method, headers: Object.fromEntries(request.headers), agent };
  return new Promise((resolve, reject) => {
    const call = http.request(origin + pathname + search, options, async (answer) => {
      const pieces = await answer.toArray();
      const headers = answer.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [[name, all[at + 1]]]));
      const { statusCode: status } = answer;
      const empty = [204, 304].includes(status);
      resolve(new Response(empty ? null : Buffer.concat(pieces), { status, headers }));
    });
    call.on("error", reject).end(body);
  });
};

const { default: edge } = await import(pathToFileURL(worker));

http
  .createServer(async (incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const body = ["GET", "HEAD"].includes(method) ? undefined : Buffer.concat(await incoming.toArray());
    const request = new Request(`https://${headers.host}${url}`, { method, headers, body, redirect: "manual" });
    const answer = await edge.fetch(request, {}, { waitUntil: (done) => done });
    const told = [...answer.headers].filter(([name]) => name !== "content-length" && name !== "transfer-encoding");
    outgoing.writeHead(answer.status, told.flat());
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  })
  .listen(Number(port), "127.0.0.1");
