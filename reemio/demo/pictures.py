"""Pictures for the demo shop, drawn from a product's id, title and category instead of shipped as files.

Every department has four palettes; a product's id chooses one, the room that the drawing stands in, and a small turn
of the hue, so that a shelf looks varied and the same product always looks the same. Light falls from the upper left.
"""

import colorsys
import hashlib
import re
from typing import NamedTuple
from xml.sax.saxutils import escape

from reemio.demo.pictograms import PICTOGRAMS, Stroke, drawing_for

SIZE = 480


class Palette(NamedTuple):
    """Background, shape on the background, main tone, accent and dark tone of a picture."""

    ground: str
    shape: str
    main: str
    accent: str
    dark: str


_PALETTES: dict[str, tuple[Palette, ...]] = {
    "Electronics": (
        Palette("#e8edf6", "#cfdaf0", "#3d5a98", "#f2a65a", "#1f2a44"),
        Palette("#e6f0f3", "#c6dfe6", "#2f7f93", "#f07f5a", "#173540"),
        Palette("#ecebf7", "#d6d3f0", "#6459b5", "#f4bf4f", "#2a2550"),
        Palette("#eef0f2", "#d9dee4", "#55657a", "#4fb3a5", "#232c38"),
    ),
    "Fashion": (
        Palette("#f8ece8", "#efd3ca", "#b5553f", "#e9b872", "#43241f"),
        Palette("#f5eef2", "#e7d2df", "#8e4a72", "#e8a87c", "#3a1f32"),
        Palette("#eef1ea", "#d6dfcb", "#66794a", "#d98e5f", "#2d3522"),
        Palette("#edf0f6", "#d0d9e8", "#3f5678", "#d9a441", "#1e2a3c"),
    ),
    "Home & Kitchen": (
        Palette("#f6efe4", "#ead9bf", "#b9693a", "#4f8a8b", "#3c2a20"),
        Palette("#eaf1ee", "#cbdfd7", "#3f7d6c", "#e2a04a", "#1f3830"),
        Palette("#f7ebe6", "#edd0c4", "#c25b4b", "#e8b85b", "#45241f"),
        Palette("#eceef3", "#d2d8e5", "#52678f", "#dd8a6a", "#253047"),
    ),
    "Sports": (
        Palette("#e4f2f1", "#bfe1de", "#168a86", "#ff8552", "#12373b"),
        Palette("#fdeee4", "#f9d5bd", "#e2622f", "#2f6f9f", "#46220f"),
        Palette("#e9eef9", "#ccd8f3", "#3566c0", "#f6b93b", "#172a52"),
        Palette("#eff4e2", "#d8e6b5", "#6b9a23", "#e8643c", "#2b3b12"),
    ),
    "Garden": (
        Palette("#eaf3e6", "#cbe3c1", "#4a8a4a", "#d9774b", "#22401f"),
        Palette("#f2f2e0", "#dfe1b8", "#7f8f2f", "#cf6a45", "#3a3d18"),
        Palette("#e6f1ec", "#c0dfd0", "#2f8163", "#e5ac47", "#173a2c"),
        Palette("#f7eee3", "#ecd7bb", "#5f8f4e", "#bf5b3d", "#37301f"),
    ),
    "Office": (
        Palette("#eef0f4", "#d5dae4", "#43608c", "#e59a4b", "#212c40"),
        Palette("#f3efe8", "#e0d5c3", "#8a6b45", "#4b8a86", "#362b1d"),
        Palette("#e9f0f0", "#cadcdc", "#3f7777", "#e27d60", "#1d3535"),
        Palette("#f2edf2", "#ddd0df", "#76568a", "#e0b04c", "#31233b"),
    ),
    "Toys": (
        Palette("#fff3da", "#fde0a2", "#e4572e", "#2f8fb3", "#4a2512"),
        Palette("#e5f4fb", "#bde3f4", "#2483b8", "#f7b32b", "#123a55"),
        Palette("#fdeaf0", "#f8cbd9", "#d94f7d", "#3ba99c", "#4d1a30"),
        Palette("#eef6e2", "#d2eab0", "#5d9e2f", "#f08a24", "#27421a"),
    ),
    "Beauty": (
        Palette("#fbeef0", "#f4d3d9", "#c4647c", "#d9a86c", "#4d2230"),
        Palette("#f6efe8", "#ead8c7", "#b07a56", "#7d9b84", "#43301f"),
        Palette("#f0eef8", "#dad4ee", "#7b6bb3", "#e39aa5", "#302a50"),
        Palette("#ebf3f0", "#cde3da", "#4f8f7c", "#e5a58b", "#21403a"),
    ),
    "Grocery": (
        Palette("#faf1df", "#f2dcae", "#a9602b", "#6f9440", "#40260f"),
        Palette("#f0f4e1", "#dce7b6", "#6e8f2c", "#d9622b", "#2f3b13"),
        Palette("#fbe9e2", "#f5cdbd", "#c8452f", "#e3a62f", "#481a12"),
        Palette("#f2ece6", "#dfcfc1", "#6f4a35", "#d99a3d", "#2e1d14"),
    ),
    "Pets": (
        Palette("#eaf2f7", "#c9dfec", "#3b7ea6", "#ef9a4d", "#173549"),
        Palette("#f8f0e3", "#eed9b6", "#b5792f", "#4f8f86", "#402b13"),
        Palette("#f0eff6", "#d8d5e9", "#6a629f", "#e98b6d", "#2b274a"),
        Palette("#ebf4ec", "#cbe4ce", "#4b8f5c", "#e8a33d", "#203f28"),
    ),
}
_ANY = Palette("#eef1f4", "#d6dee6", "#53708f", "#e29a52", "#232f3d")

# What has a colour of its own keeps it: nobody buys a blue biscuit.
_NATURE = {
    "n": "#b9783f",
    "N": "#8a5632",
    "g": "#5a9a4f",
    "G": "#3f7a3b",
    "o": "#e07b39",
    "r": "#cf4b45",
    "y": "#efb23e",
    "v": "#8b74bd",
    "f": "#d8c2a5",
    "q": "#86bfd8",
}

# Behind the drawing, a wall and a floor: S is the palette's shape tone, T the accent at a whisper, P nearly white.
_GROUNDS = (
    '<path d="M0 346H480V480H0z" fill="S"/><path d="M104 346V214a136 136 0 0 1 272 0V346z" fill="P"/>',
    '<path d="M0 346H480V480H0z" fill="S"/><circle cx="240" cy="206" r="142" fill="T"/>',
    '<path d="M92 372V480H388V372z" fill="S"/><ellipse cx="240" cy="372" rx="148" ry="24" fill="P"/>'
    '<circle cx="384" cy="104" r="40" fill="T"/>',
    '<path d="M0 346H480V480H0z" fill="S"/><path d="M70 346 236 0H326L160 346zM206 346 372 0H404L238 346z" fill="P"/>',
    '<path d="M0 366C90 312 160 318 240 346S396 384 480 330V480H0z" fill="S"/>'
    '<circle cx="352" cy="128" r="66" fill="T"/>',
    '<circle cx="240" cy="232" r="186" fill="S"/><path d="M70 308a186 186 0 0 0 340 0z" fill="P"/>',
    '<path d="M0 346H480V480H0z" fill="S"/><path d="M240 46h172V346H240z" fill="T"/>'
    '<path d="M68 118H240V346H68z" fill="P"/>',
)
# What stands for a department.
_SIGNS = {
    "Electronics": "headphones",
    "Fashion": "dress",
    "Home & Kitchen": "pot",
    "Sports": "runner",
    "Garden": "wateringcan",
    "Office": "notebook",
    "Toys": "train",
    "Beauty": "perfume",
    "Grocery": "coffeebag",
    "Pets": "paw",
}
_UNSAFE_IN_XML = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def _channels(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, value)) * 255):02x}" for value in channels)


def _turn(colour: str, degrees: float) -> str:
    """The same colour with its hue turned by some degrees."""
    hue, light, strength = colorsys.rgb_to_hls(*_channels(colour))
    return _hex(colorsys.hls_to_rgb((hue + degrees / 360) % 1, light, strength))


def _mix(colour: str, other: str, share: float) -> str:
    """`share` of the other colour in this one."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(_channels(colour), _channels(other), strict=True))
    return _hex((red, green, blue))


def _paint(stroke: Stroke, tones: dict[str, str]) -> str:
    colour = tones[stroke.tone]
    if not stroke.width:
        return f'{stroke.element} fill="{colour}"/>'
    dashes = f' stroke-dasharray="{stroke.dashes}" stroke-linecap="butt"' if stroke.dashes else ""
    return f'{stroke.element} fill="none" stroke="{colour}" stroke-width="{stroke.width:g}"{dashes}/>'


def _tones(main: str, accent: str, dark: str) -> dict[str, str]:
    """Return the colour of every tone that a drawing may name."""
    return _NATURE | {
        "a": main,
        "s": _mix(main, dark, 0.35),
        "l": _mix(main, "#ffffff", 0.68),
        "b": accent,
        "d": dark,
        "m": _mix(dark, "#ffffff", 0.66),
        "w": "#fffdf9",
        "k": "#0000001c",
        "h": "#ffffff4d",
    }


def department_icon(department: str) -> str:
    """Return the sign of a department, a small SVG picture without words; a parcel where it is not one of the ten."""
    palette = _PALETTES.get(department, (_ANY,))[0]
    tones = _tones(palette.main, palette.accent, palette.dark)
    drawing = PICTOGRAMS[_SIGNS.get(department, "parcel")]
    turned = f' transform="{drawing.transform}"' if drawing.transform else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">'
        f'<circle cx="32" cy="32" r="32" fill="{palette.shape}"/>'
        '<g transform="translate(11 11) scale(.42)" stroke-linecap="round" stroke-linejoin="round">'
        f"<g{turned}>{''.join(_paint(stroke, tones) for stroke in drawing.strokes)}</g></g></svg>"
    )


def picture(product_id: str, title: str, category: str) -> str:
    """An SVG picture of a product, 480 by 480, under 4 KB: the same for the same three words, always well-formed."""
    chance = hashlib.sha256(product_id.encode("utf-8", "replace")).digest()
    department = category.split(" > ")[0]
    palettes = _PALETTES.get(department, (_ANY,))
    palette = palettes[chance[0] % len(palettes)]
    turn = chance[1] % 17 - 8
    main, accent = _turn(palette.main, turn), _turn(palette.accent, -turn)
    if chance[2] % 4 == 0:
        main, accent = accent, main
    tones = _tones(main, accent, palette.dark)
    ground = _GROUNDS[chance[3] % len(_GROUNDS)]
    for mark, colour in (
        ('"S"', palette.shape),
        ('"T"', _mix(palette.accent, palette.ground, 0.66)),
        ('"P"', _mix(palette.ground, "#ffffff", 0.62)),
    ):
        ground = ground.replace(mark, f'"{colour}"')
    drawing = PICTOGRAMS[drawing_for(title, category)]
    turned = f' transform="{drawing.transform}"' if drawing.transform else ""
    label = escape(_UNSAFE_IN_XML.sub("", title)[:200])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}"'
        f' role="img"><title>{label}</title>'
        '<defs><radialGradient id="l" cx=".4" cy=".28" r=".75"><stop stop-color="#fff" stop-opacity=".6"/>'
        '<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>'
        f'<radialGradient id="s"><stop stop-color="{palette.dark}" stop-opacity=".34"/>'
        f'<stop offset="1" stop-color="{palette.dark}" stop-opacity="0"/></radialGradient></defs>'
        f'<rect width="{SIZE}" height="{SIZE}" fill="{palette.ground}"/>{ground}'
        f'<rect width="{SIZE}" height="{SIZE}" fill="url(#l)"/>'
        '<ellipse cx="240" cy="372" rx="152" ry="19" fill="url(#s)"/>'
        '<g transform="translate(90 94) scale(3)" stroke-linecap="round" stroke-linejoin="round">'
        f"<g{turned}>{''.join(_paint(stroke, tones) for stroke in drawing.strokes)}</g></g></svg>"
    )
