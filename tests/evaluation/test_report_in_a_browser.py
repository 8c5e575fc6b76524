"""The evaluation's page in a real browser: by mouse and keyboard, on a phone, at night."""

import io

import pytest
from browser import browser
from example_report import VARIANTS, example_report
from PIL import Image

from sanmodel.evaluation.page import write_report

DESKTOP, PHONE = {"width": 1100, "height": 900}, {"width": 390, "height": 800}

CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    throw new Error("nothing is painted below");
  };
  const texts = [...document.querySelectorAll("main *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return texts.map((element) => {
    const [light, dark] = [channels(getComputedStyle(element).color), ground(element)]
      .map(luminance).sort((a, b) => b - a);
    return [(light + 0.05) / (dark + 0.05), element.tagName, element.textContent.trim()];
  });
}"""
"""Contrast of every text with what it stands on, as WCAG 2 defines it."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, example_report())
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def started():
    with browser() as running:
        yield running


@pytest.fixture
def page(started, address):
    with started.new_context(viewport=DESKTOP) as context:
        opened = context.new_page()
        opened.goto(address)
        yield opened


def brightness(page, place):
    """Grey levels of a photograph of an element, (left edge, right edge)."""
    picture = Image.open(io.BytesIO(page.locator(place).first.screenshot())).convert("L")
    middle = picture.height // 2
    return picture.getpixel((6, middle)), picture.getpixel((picture.width - 6, middle))


def test_lights_differ_in_colour_as_in_words(page):
    lights = page.locator(".rules b").all()
    words = [light.inner_text().split(maxsplit=1)[1] for light in lights]
    assert words == ["met", "not met", "not judged", "met, not certain", "not met, not certain"]
    colours = [light.evaluate("one => getComputedStyle(one).color") for light in lights]
    assert len(set(colours)) == 4
    assert colours[3] == colours[4]


def test_it_is_loaded_without_an_error_and_without_the_network(started, address):
    with started.new_context() as context:
        page, said, asked = context.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address, wait_until="networkidle")
        assert said == []
        assert [url for url in asked if not url.startswith("data:")] == [address]


def test_every_picture_is_seen(page):
    widths = page.eval_on_selector_all("main img", "all => all.map(image => image.naturalWidth)")
    assert len(widths) == 5 + 3 * len(VARIANTS)
    assert min(widths) > 0
    for figure in page.locator("button.zoom img").all():
        assert figure.is_visible()


def test_the_slider_uncovers_the_original(page):
    slider = page.get_by_label("How much of the original is shown, set test, person 1")
    assert brightness(page, ".pair") == pytest.approx((0, 128), abs=4)
    slider.focus()
    page.keyboard.press("Home")
    assert brightness(page, ".pair") == pytest.approx((128, 128), abs=4)
    page.keyboard.press("End")
    assert brightness(page, ".pair") == pytest.approx((0, 0), abs=4)
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "99% original, the rest output"


def test_another_output_can_be_chosen(page):
    choice = page.get_by_label("Output beside the original")
    assert choice.input_value() == "OP"
    choice.select_option("blur")
    assert brightness(page, ".pair") == pytest.approx((0, 255), abs=4)
    assert page.locator(".ends .chosen").first.inner_text() == "blur"
    assert page.locator(".pair").count() == 3
    assert page.locator(".output:visible").count() == 3
    assert page.locator('.output[data-variant="blur"]:visible').count() == 3


@pytest.mark.parametrize("leave", ["Escape", "Enter"])
def test_a_figure_is_enlarged_and_left_by_keyboard(page, leave):
    button, dialog = page.get_by_label("Enlarge figure 6"), page.locator("dialog")
    small = button.locator("img").bounding_box()["width"]
    button.focus()
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    assert dialog.locator("img").bounding_box()["width"] > 1.5 * small
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press(leave)
    assert not dialog.is_visible()
    assert button.evaluate("button => button === document.activeElement")


def test_a_figure_is_enlarged_by_a_click_and_left_by_one_beside_it(page):
    page.get_by_label("Enlarge figure 7").click()
    assert page.get_by_role("dialog", name="Figure 7. ROC curves of matching faces").is_visible()
    page.mouse.click(3, 3)
    assert not page.locator("dialog").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(page, scheme):
    page.emulate_media(color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert min(contrasts)[0] >= 4.5, min(contrasts)


def test_on_a_phone_only_tables_are_wider_than_the_screen(page):
    page.set_viewport_size(PHONE)
    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide == [PHONE["width"], PHONE["width"]]
    table = page.get_by_role("region", name="Ours and the baselines side by side, set test")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("table => table.scrollLeft > 0", arg=table.element_handle())
    page.get_by_label("Enlarge figure 5. Faces of the set lfw").click()
    box = page.locator("dialog").bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]


def test_tables_name_their_rows_and_columns(page):
    for table in page.locator("table").all():
        assert table.locator("caption").inner_text()
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.locator("tbody tr:not(:has(th[scope=row]))").count() == 0
