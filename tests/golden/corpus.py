"""Pages in which something withheld stands between neighbours that would be live markup if they met.

What fires in a page, fires through ``alert``, which the tests replace, or by a request to CANARY.
"""

from __future__ import annotations

from typing import Final

CANARY: Final = "canary.example"
BANG: Final = "img src=x onerror=alert(1)>"
PIXEL: Final = "img src=https://canary.example/seen>"

# What the gate takes out of a page of which everything is denied.
WITHHELD: Final = {
    "script": '<script src="https://www.google-analytics.com/collect"></script>',
    "inline script": "<script>ga('create', 'UA-1')</script>",
    "image": "<img src='https://www.google-analytics.com/collect'>",
    "frame": "<iframe src=https://www.youtube.com/embed/collect></iframe>",
    "two": "<script src=https://www.google-analytics.com/collect></script><img src=https://www.facebook.com/tr/collect>",
    "pixel in noscript": "<noscript><img src=https://www.facebook.com/tr/collect></noscript>",
    "style": "<style>@import 'https://www.google-analytics.com/collect';</style>",
}

# What stands before it, and after it.
NEIGHBOURS: Final = {
    "tag": ("<", BANG),
    "tag that loads": ("<", PIXEL),
    "tag after a slash": ("<", "/script><" + BANG),
    "end tag": ("<title></", "title><" + BANG),
    "name": ("<im", "g src=x onerror=alert(1)>"),
    "script's name": ("<scr", "ipt>alert(1)</script>"),
    "script's bracket": ("<script", ">alert(1)</script>"),
    "script's address": ("<script src=", "https://canary.example/seen></script>"),
    "handler's name": ("<img src=x one", "rror=alert(1)>"),
    "attributes": ("<img src=x ", " onerror=alert(1)>"),
    "value": ("<p title=", " onclick=alert(1)><" + BANG),
    "value in double quotes": ('<p title="', '"><' + BANG),
    "value in single quotes": ("<p title='", "'><" + BANG),
    "quotes that meet": ('<p title="a', "\" id='><" + BANG + "'>"),
    "comment's start": ("<!-", "- --><" + BANG),
    "comment's first bracket": ("<!", "-- --><" + BANG),
    "comment's end": ("<!-- --", "><" + BANG + " -->"),
    "comment's end at once": ("<!--", "><" + BANG + " -->"),
    "comment's end after a bang": ("<!-- --!", "><" + BANG + " -->"),
    "comment's dashes": ("<!-- -", "-><" + BANG + " -->"),
    "comment around": ("<!-- ", " <" + BANG + " -->"),
    "doctype": ("<!doc", "type><" + BANG),
    "instruction": ("<", "?><" + BANG),
    "entity": ("&l", "t;img src=x onerror=alert(1)&gt;"),
    "entity by number": ("&#6", "0;img src=x onerror=alert(1)&#62;"),
    "CDATA": ("<![CDA", "TA[><" + BANG + "]]>"),
    "CDATA in a drawing": ("<svg><![CDATA[", "]]><" + BANG + "</svg>"),
    "CDATA's end in a drawing": ("<svg><![CDATA[ ]", "]><" + BANG + "]]></svg>"),
    "title": ("<title></tit", "le><" + BANG + "</title>"),
    "textarea": ("<textarea></textar", "ea><" + BANG + "</textarea>"),
    "style": ("<style></sty", "le><" + BANG + "</style>"),
    "xmp": ("<xmp></", "xmp><" + BANG + "</xmp>"),
    "frame's text": ("<iframe></ifr", "ame><" + BANG + "</iframe>"),
    "noembed": ("<noembed><", "/noembed><" + BANG + "</noembed>"),
    "template": ("<template><", "/template><" + BANG + "</template>"),
    "noscript": ("<noscript></nosc", "ript><" + PIXEL + "</noscript>"),
    "noscript's comment": ("<noscript><!--</noscript>", "<" + PIXEL + "-->"),
    "noscript's attribute": ('<noscript><p title="</noscript>', "<" + PIXEL + '">'),
    "noscript's style": ("<noscript><style></noscript>", "<" + PIXEL + "</style>"),
    "comment in noscript": ("<noscript><!-- ", "<" + PIXEL + " --></noscript>"),
    "drawing": ("<svg><", "script>alert(1)</script></svg>"),
    "drawing's title": ("<svg><title><", BANG + "</title></svg>"),
    "drawing's style": ("<svg><style><", BANG + "</style></svg>"),
    "drawing's comment": ("<svg><style><!--</style>", "<" + BANG + "--></style></svg>"),
    "formula": ("<math><mi><", BANG + "</mi></math>"),
    "formula's comment": ("<math><style><!--</style>", "<" + PIXEL + "--></style></math>"),
    "script's string": ("<script>var a = '<", "/script><" + BANG + "'</script>"),
    "script's escape": ("<script><!--<scr", "ipt></script><" + BANG + "--></script>"),
    "select": ("<select><", BANG + "</select>"),
    "table": ("<table><", BANG + "</table>"),
    "NUL": ("<\0", BANG),
    "line end": ("<\n", BANG),
    "unclosed quote": ('<p title="><', BANG),
    "plaintext": ("<plain", "text><" + BANG),
}


def _page(name: str, *parts: str) -> bytes:
    """Every address in the page says which page it is in: not every request has a referrer."""
    markup = "<!doctype html><title>Tea</title>" + "".join(parts)
    return markup.replace("/collect", f"/collect/{name}").replace("/seen", f"/seen/{name}").encode()


CORPUS: Final = {
    (name := f"corpus/{number}"): (f"{inside} in {around}", _page(name, before, gone, after))
    for number, (inside, gone, around, (before, after)) in enumerate(
        (inside, gone, around, neighbours)
        for around, neighbours in NEIGHBOURS.items()
        for inside, gone in WITHHELD.items()
    )
}
