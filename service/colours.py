"""What colours a site may choose for its threads, and what follows from them. Pure arithmetic.

The numbers are those of static/thread.css and static/thread.js, which does the same in the frame
with the colours of the page around it: a test compares them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WRITTEN = re.compile("#[0-9a-fA-F]{6}")
READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text to its ground
DARK = 0.18  # luminance of a ground under which white reads better than black
SCHEMES = ("light", "dark")
OURS = {
    "light": {
        "text": "#1b1d20",
        "ground": "#ffffff",
        "link": "#1f56ad",
        "quiet": "#5b626a",
        "line": "#dfe2e5",
        "edge": "#848b93",
        "error": "#b3261e",
        "held": "#8a5300",
        "good": "#1d6b38",
    },
    "dark": {
        "text": "#e4e6e8",
        "ground": "#17191c",
        "link": "#8db8f6",
        "quiet": "#a2a9b1",
        "line": "#34383d",
        "edge": "#7c838b",
        "error": "#ff9d94",
        "held": "#f0b866",
        "good": "#7fcf98",
    },
}
# How much of the words' colour what is quieter has at least, and its contrast to the ground.
MIXED = {"quiet": (0.6, 4.6), "edge": (0.4, 3.1), "line": (0.12, 1.0)}
STATES = ("error", "held", "good")

Rgb = Sequence[int]


def rgb(written: str) -> Rgb:
    """Red, green and blue of a colour like #1a2b3c, each from 0 to 255."""
    return tuple(int(written[at : at + 2], 16) for at in (1, 3, 5))


def luminance(written: str) -> float:
    """From 0 (black) to 1 (white): WCAG 2.2, "relative luminance"."""
    parts = [part / 255 for part in rgb(written)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21: WCAG 2.2, "contrast ratio"."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def scheme_of(ground: str) -> str:
    """What a ground is: "light" or "dark"."""
    return "dark" if luminance(ground) < DARK else "light"


def mixed(one: str, other: str, least: float, ratio: float, ground: str) -> str:
    """The first mix of two colours, from `least` of the one towards all of it, that has this
    contrast to the ground."""
    part = least
    while part < 1:
        pairs = zip(rgb(one), rgb(other), strict=True)
        mix = "#" + "".join(f"{int(a * part + b * (1 - part) + 0.5):02x}" for a, b in pairs)
        if contrast(mix, ground) >= ratio:
            return mix
        part += 0.05
    return one


@dataclass(frozen=True)
class Look:
    """What a site chose: `theme` is page, light or dark; an empty colour is none."""

    theme: str = "page"
    text: str = ""
    link: str = ""
    ground: str = ""

    @property
    def is_chosen(self) -> bool:
        return self.theme != "page" or any((self.text, self.link, self.ground))

    @property
    def scheme(self) -> str:
        """ "light" or "dark"; "" where that is the page's or the browser's business."""
        if self.theme in SCHEMES:
            return self.theme
        return scheme_of(self.ground) if self.ground else ""

    @property
    def own_ground(self) -> str:
        """The ground, unless it is a light one for a dark thread, or the other way round."""
        return self.ground if self.ground and scheme_of(self.ground) == self.scheme else ""

    def problems(self) -> Iterator[tuple[str, str]]:
        """What of it cannot be used, with the reason: ("text", "…") and so on."""
        if self.ground and not self.own_ground:
            yield "ground", f"is {scheme_of(self.ground)}, but the thread is set to {self.theme}"
            return
        for name, colour in (("text", self.text), ("link", self.link)):
            if not colour:
                continue
            grounds = self._grounds()
            best = max(grounds, key=lambda ground: contrast(colour, ground))
            if (found := contrast(colour, best)) < READABLE:
                # Rounded down: 4.49 is not 4.5.
                told = int(found * 10) / 10
                yield name, f"has a contrast of {told}:1 to {best}; words need {READABLE}:1"

    def _grounds(self) -> list[str]:
        """On what it may stand; on any of them will do."""
        if self.own_ground:
            return [self.own_ground]
        return [OURS[name]["ground"] for name in SCHEMES if self.scheme in ("", name)]

    def attributes(self) -> dict[str, str]:
        """What thread.js takes in place of what the page around the frame says."""
        said = {"text": self.text, "link": self.link}
        if self.scheme:
            said |= {"theme": self.scheme, "ground": self.own_ground}
        # A theme of one's own leaves nothing of the page's colours; an empty one says so.
        is_all = self.theme in SCHEMES
        return {f"data-{name}": value for name, value in said.items() if value or is_all}

    def stylesheet(self) -> str:
        """The custom properties of thread.css as this site has them."""
        light, dark = (self._worn(scheme) for scheme in SCHEMES)
        lines = [f"color-scheme: {self.scheme};"] if self.scheme else []
        for name in OURS["light"]:
            if name in light or name in dark:
                pair = [
                    w.get(name, OURS[s][name]) for s, w in zip(SCHEMES, (light, dark), strict=True)
                ]
                lines.append(f"--rejoinder-{name}: light-dark({pair[0]}, {pair[1]});")
        if not lines:
            return ""
        css = ".rejoinder-page, section.rejoinder {\n  " + "\n  ".join(lines) + "\n}\n"
        if self.scheme:  # what is included in a page paints its own ground then
            css += (
                "section.rejoinder {\n  padding: 16px;\n"
                "  background: var(--rejoinder-ground);\n  color: var(--rejoinder-text);\n}\n"
            )
        return css

    def _worn(self, scheme: str) -> dict[str, str]:
        """What is other than ours in light or dark. Which of the two is shown may still be said by
        the element on the page."""
        ours = OURS[scheme]
        ground = self.own_ground if scheme == self.scheme else ""
        on = ground or ours["ground"]
        worn = {"ground": ground} if ground else {}

        def readable(colour: str) -> str:
            return colour if colour and contrast(colour, on) >= READABLE else ""

        words = readable(self.text)
        if not words and ground:
            words = "#ffffff" if scheme == "dark" else "#000000"
        if words:
            worn["text"] = words
            worn |= {n: mixed(words, on, *least, on) for n, least in MIXED.items()}
        if link := readable(self.link) or (words if ground else ""):
            worn["link"] = link
        if ground:
            worn |= {name: mixed(words, ours[name], 0, READABLE, on) for name in STATES}
        return worn
