"""Which attributes make a browser fetch (WHATWG HTML 4, SVG 2, AMP), and which only point somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Without what these name the element is nothing: one that is withheld goes as a whole.
LOADS: Mapping[bytes, tuple[bytes, ...]] = {
    b"script": (b"src",),
    b"img": (b"src",),
    b"image": (b"src",),
    b"iframe": (b"src",),
    b"frame": (b"src",),
    b"link": (b"href",),
    b"object": (b"data",),
    b"embed": (b"src",),
    b"source": (b"src",),
    b"video": (b"src",),
    b"audio": (b"src",),
    b"track": (b"src",),
    b"input": (b"src",),
    b"amp-img": (b"src",),
    b"amp-anim": (b"src",),
    b"amp-iframe": (b"src",),
    b"amp-video": (b"src",),
    b"amp-audio": (b"src",),
    b"amp-pixel": (b"src",),
    b"amp-analytics": (b"config",),
    b"amp-ad": (b"src", b"json"),
    b"amp-embed": (b"src", b"json"),
}
FOREIGN_LOADS: Mapping[bytes, tuple[bytes, ...]] = {
    b"script": (b"href", b"xlink:href"),
    b"image": (b"href", b"xlink:href"),
    b"feimage": (b"href", b"xlink:href"),
}
# AMP's components name a service or a trade instead of an address: what they would run for, and whom they call.
AMP_PURPOSES: Mapping[bytes, str] = {
    b"amp-analytics": "analytics",
    b"amp-pixel": "analytics",
    b"amp-experiment": "analytics",
    b"amp-call-tracking": "marketing",
    b"amp-ad": "marketing",
    b"amp-embed": "marketing",
    b"amp-sticky-ad": "marketing",
    b"amp-auto-ads": "marketing",
}
AMP_PLACES: Mapping[bytes, str] = {
    b"amp-youtube": "https://www.youtube.com/embed/",
    b"amp-vimeo": "https://player.vimeo.com/video/",
    b"amp-dailymotion": "https://www.dailymotion.com/embed/",
    b"amp-facebook": "https://www.facebook.com/plugins/post.php",
    b"amp-facebook-comments": "https://www.facebook.com/plugins/comments.php",
    b"amp-facebook-like": "https://www.facebook.com/plugins/like.php",
    b"amp-facebook-page": "https://www.facebook.com/plugins/page.php",
    b"amp-instagram": "https://www.instagram.com/embed.js",
    b"amp-twitter": "https://platform.twitter.com/widgets.js",
    b"amp-pinterest": "https://assets.pinterest.com/js/pinit.js",
    b"amp-reddit": "https://embed.reddit.com/widgets.js",
    b"amp-soundcloud": "https://w.soundcloud.com/player/",
    b"amp-tiktok": "https://www.tiktok.com/embed.js",
    b"amp-brightcove": "https://players.brightcove.net/",
    b"amp-jwplayer": "https://content.jwplatform.com/",
}
MARK = b"data-privacy"
GATED = frozenset({*LOADS, *AMP_PURPOSES, *AMP_PLACES, b"base", b"meta"})

# Relations of <link> for which a browser fetches or connects (HTML 4.6.7, Resource Hints).
FETCHING = frozenset(
    b"stylesheet preload modulepreload prefetch prerender icon apple-touch-icon apple-touch-icon-precomposed "
    b"apple-touch-startup-image mask-icon manifest compression-dictionary".split()
)
CONNECTING = frozenset({b"preconnect", b"dns-prefetch"})  # to a host, whatever path is asked for later

# Script types that no browser runs and no loader revives: data, templates, other consent tools' parking place.
INERT_TYPES = re.compile(
    r"text/plain|text/(?:x-)?(?:html|template|markdown|[a-z]*-?(?:template|tmpl|handlebars|mustache|jquery-tmpl))"
    r"|(?:application|text)/(?:[a-z0-9.+-]+\+)?json|application/xml|text/xml|math/tex(?:;.*)?|x-shader/.*"
).fullmatch

# Attributes by which any element loads or reports, and names in use for an address that a script will load later.
HANDLERS = frozenset({b"onload", b"onerror", b"onpageshow"})  # they run without anybody's act
TELLING = HANDLERS | {b"style", b"ping", b"src", b"background", b"attributionsrc", b"http-equiv"}
LATER = (
    rb"(?:src|lazy|orig|bg|back|poster|cfsrc|rocket|embed|iframe|image|img|video|thumb|hires|hi-|fullsrc|full-|large-)"
)
is_loaded_later = re.compile(rb"data-" + LATER).match
