"""Great Expectations' page of one suite, made to be read without a network.

Its own template loads style sheets and scripts from eight hosts and is unreadable without them.
Ours has one inline style sheet and no script, and a content security policy that forbids both to
load anything, whatever the checked values contain.
"""

import html
from functools import cache
from typing import Any

from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader, pass_context
from jinja2.runtime import Context


def render_suite(result: Any, name: str, notes: str) -> str:
    """Render the validation result of one suite as a page.

    Args:
        result: Great Expectations' result; its time stamps are left out, so that the same data
            give the same page.
        name: Name of the suite.
        notes: A sentence on its table.
    """
    document = ValidationResultsPageRenderer().render(result)
    # The first section is the library's overview, which tells of batches and run times.
    document.sections = document.sections[1:]
    page: str = _view().render(
        document, suite=name, notes=notes, statistics=result.statistics, passed=result.success
    )
    return page


@cache
def _view() -> Any:
    """Return the library's view with our templates before its own."""
    view = DefaultJinjaPageView()
    ours = PackageLoader("sanmodel.validation", "templates")
    view.env.loader = ChoiceLoader([ours, view.env.loader])

    @pass_context
    def escaped(context: Context, block: Any, **place: Any) -> Any:
        # The library's templates do not escape, so that a value such as a file's name is markup.
        if isinstance(block, str):
            return html.escape(block)
        return view.render_content_block(context, block, **place)

    view.env.filters["render_content_block"] = escaped
    return view
