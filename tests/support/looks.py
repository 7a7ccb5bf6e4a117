"""How a page looks and reads: overflow, and the rules of WCAG AA that axe-core can check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = {1280: 900, 390: 844}  # of a small laptop and of a phone, with their heights, in pixels
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
View = tuple[int, Theme]
PAIRS: tuple[View, ...] = ((1280, "light"), (390, "dark"))
ALL_VIEWS: tuple[View, ...] = tuple((width, theme) for width in WIDTHS for theme in THEMES)
AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OPTIONS = {"runOnly": {"type": "tag", "values": list(AA)}, "resultTypes": ["violations"]}
MAX_NAMED = 5  # elements of one finding

SET_THEME = """theme => {
    localStorage.setItem('adminTheme', JSON.stringify(theme));
    document.documentElement.classList.toggle('dark', theme === 'dark');
}"""
# The elements that reach beyond the window and lie in no part that scrolls by itself.
WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = element => {
        for (let one = element.parentElement; one; one = one.parentElement)
            if (getComputedStyle(one).overflowX !== 'visible') return true;
        return false;
    };
    return [...document.body.querySelectorAll('*')]
        .filter(one => one.getBoundingClientRect().right > width + 1 && !scrolls(one))
        .map(one => `${one.tagName.toLowerCase()} ${one.className}`.slice(0, 120));
}"""


def problems_of(
    page: Page, folder: Path | None = None, name: str = "page", views: Sequence[View] = PAIRS
) -> list[str]:
    """Return what is wrong with the open page, in sentences.

    Whether it is too wide depends on the width, and contrast on the theme, so each width is looked
    at in one theme. With a `folder` it is each width in both, and each view is stored as a picture.
    """
    found = []
    if folder is not None:
        views = ALL_VIEWS
    for width, theme in views:
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        page.evaluate(SET_THEME, theme)
        page.emulate_media(color_scheme=theme)  # for pages that follow the system's
        page.wait_for_timeout(60)  # transitions of colours
        where = f"{name} ({width} px, {theme})"
        if folder is not None:
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
        found += [f"{where} is too wide: {element}" for element in page.evaluate(WIDE)[:MAX_NAMED]]
        found += [f"{where}: {problem}" for problem in _broken_rules(page)]
    return found


def _broken_rules(page: Page) -> list[str]:
    broken = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: "
        + "; ".join(str(node["html"])[:160] for node in rule["nodes"][:MAX_NAMED])
        for rule in broken
    ]
