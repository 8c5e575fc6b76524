"""The page in a real browser: by mouse and keyboard, on a phone, at night, with errors."""

import io
import json
from pathlib import Path

import pytest
from browser import browser
from PIL import Image
from serving_model import running
from small import PROJECT

PHOTO = PROJECT / "data/sample/photos/000000.jpg"
OTHER = PROJECT / "data/sample/photos/000001.jpg"
DESKTOP, PHONE, NARROW = (1000, 900), (390, 800), (360, 740)

CONTRASTS = """() => {
  const levels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((level) => level / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (levels(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("main *")]
    .filter((one) => one.checkVisibility() && !one.matches("svg, svg *, input, option"))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => {
      const pair = [getComputedStyle(one).color, ground(one)].map((text) => light(levels(text)));
      return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), one.textContent];
    });
}"""


@pytest.fixture(scope="module")
def started():
    with browser() as one:
        yield one


@pytest.fixture
def page(started, server):
    """The page, whose every request and word to the console is looked at afterwards."""
    with started.new_context(viewport=size(DESKTOP), reduced_motion="reduce") as context:
        opened, asked, said = context.new_page(), [], []
        opened.on("request", lambda request: asked.append(request.url))
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto(server.address)
        yield opened
        elsewhere = [url for url in asked if not url.startswith((server.address, "data:", "blob:"))]
        assert elsewhere == []
        assert [text for text in said if "status of 4" not in text] == []


def size(sides):
    return {"width": sides[0], "height": sides[1]}


def choose(page, photo=PHOTO):
    page.get_by_label("Choose a photo").set_input_files(photo)
    page.locator("#result").wait_for()


def widths(page):
    return page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


def test_a_photo_is_tried_by_keyboard(page):
    choose(page)
    assert page.get_by_role("status").inner_text().startswith("One face found.")
    box = page.locator("#boxes rect.over").bounding_box()
    photo = page.locator("#shown").bounding_box()
    assert photo["x"] < box["x"] < box["x"] + box["width"] < photo["x"] + photo["width"]
    slider, seen = page.get_by_role("slider", name="Version of the photo"), []
    slider.focus()
    for label in ("Original", "Same (SM)", "Neutral (NT)", "Opposite (OP)"):
        assert slider.get_attribute("aria-valuetext") == label
        assert page.get_by_alt_text(f"Your photo, version: {label}").is_visible()
        current = page.locator("tr[aria-current=true]")
        assert current.locator("th").inner_text() == label.partition(" ")[0]
        seen.append(page.locator("#shown").get_attribute("src"))
        page.keyboard.press("ArrowRight")
    assert len(set(seen)) == 4
    page.keyboard.press("Home")
    assert page.locator("#shown").get_attribute("src") == seen[0]


def test_the_table_has_figures(page):
    choose(page)
    table = page.get_by_role("table")
    assert table.locator("caption").inner_text() == "The face: taken as male, 95 % certain"
    heads = [head.inner_text() for head in table.locator("thead th[scope=col]").all()]
    assert heads == ["Version", "Classifier says", "Match distance"]
    rows = [row.inner_text().split("\t") for row in table.locator("tbody tr").all()]
    assert [row[0] for row in rows] == ["Original", "Same", "Neutral", "Opposite"]
    assert rows[0][1:] == ["male 95 %", "0.00 same person"]
    assert all(row[2].startswith("0.0") for row in rows[1:])
    assert page.get_by_text("it is no independent judge").is_visible()


def test_the_class_can_be_told(page):
    choose(page)
    page.get_by_label("Class of the faces").select_option("female")
    caption = page.get_by_text("The face: taken as female, as you say")
    caption.wait_for()
    assert caption.is_visible()


def test_the_version_is_downloaded_in_full_size(page, tmp_path):
    large = tmp_path / "my face.png"
    Image.open(PHOTO).resize((1800, 1800)).save(large)
    choose(page, large)
    button = page.get_by_role("button", name="Download this version")
    assert button.is_disabled()  # the original is the user's own
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    with page.expect_download() as waiting:
        button.click()
    assert waiting.value.suggested_filename == "my face-opposite.png"
    content = Path(waiting.value.path()).read_bytes()
    assert Image.open(io.BytesIO(content)).size == (1800, 1800)
    shown = page.locator("#shown").evaluate("image => image.naturalWidth")
    assert shown == 1600


def test_boxes_can_be_hidden_and_many_faces_are_numbered(page, tmp_path):
    one, two = Image.open(PHOTO), Image.new("RGB", (640, 320))
    for place in (0, 320):
        two.paste(one, (place, 0))
    two.save(tmp_path / "two.png")
    choose(page, tmp_path / "two.png")
    assert page.get_by_role("status").inner_text().startswith("2 faces found.")
    assert page.locator("#boxes text").all_text_contents() == ["1", "2"]
    captions = page.locator("caption").all_inner_texts()
    assert [caption.partition(":")[0] for caption in captions] == ["Face 1", "Face 2"]
    page.get_by_label("Show where the faces are").uncheck()
    assert not page.locator("#boxes").is_visible()


def test_an_error_is_one_sentence(page, tmp_path):
    message = page.get_by_role("status")
    (tmp_path / "letter.jpg").write_text("dear")
    page.get_by_label("Choose a photo").set_input_files(tmp_path / "letter.jpg")
    page.get_by_text("The upload is not an image: replace or remove the file.").wait_for()
    assert message.get_attribute("class") == "error"
    assert not page.locator("#result").is_visible()
    Image.new("RGB", (300, 300)).save(tmp_path / "dark.png")
    page.get_by_label("Choose a photo").set_input_files(tmp_path / "dark.png")
    page.get_by_text("No face was found: send a photo in which one looks at the camera.").wait_for()
    choose(page)
    assert message.get_attribute("class") == ""


def test_a_file_can_be_dropped_anywhere(page):
    content = json.dumps(list(PHOTO.read_bytes()))
    page.evaluate(
        f"""() => {{
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array({content})], "a.jpg", {{type: "image/jpeg"}}));
          const event = new DragEvent("drop", {{dataTransfer: data, bubbles: true}});
          document.querySelector("h1").dispatchEvent(event);
        }}"""
    )
    page.locator("#result").wait_for()


def test_a_key_is_asked_for_and_used(started, served, tmp_path):
    (tmp_path / "key").write_text("0123456789abcdef")
    with running(served, tmp_path, "--api-key-file", tmp_path / "key", detector="dlib") as one:
        with started.new_context(viewport=size(DESKTOP)) as context:
            page = context.new_page()
            page.goto(one.address)
            page.get_by_label("Choose a photo").set_input_files(PHOTO)
            page.get_by_text("The API key is missing or wrong: send it as X-API-Key.").wait_for()
            page.get_by_label("API key").fill("0123456789abcdef")
            page.keyboard.press("Tab")
            page.locator("#result").wait_for()
            one.stop()
            page.get_by_label("Choose a photo").set_input_files(OTHER)
            page.get_by_text("The server cannot be reached: see whether it still runs").wait_for()


@pytest.mark.parametrize("sides", [PHONE, NARROW])
def test_on_a_phone_nothing_is_wider_than_the_screen(page, sides):
    page.set_viewport_size(size(sides))
    assert widths(page) == [sides[0]] * 2
    choose(page)
    assert widths(page) == [sides[0]] * 2
    for place in ("#drop label", "#attribute", "#download", "#mode", ".check"):
        assert page.locator(place).bounding_box()["height"] >= 44  # a finger's width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    choose(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 248)", "dark": "rgb(22, 23, 24)"}[scheme]
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 30
    assert min(contrasts)[0] >= 4.5, min(contrasts)


def test_everything_is_reached_by_tab_in_order(page):
    choose(page)
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("window.getSelection().removeAllRanges()")
    reached = []
    page.locator("#file").focus()
    for _ in range(5):
        reached.append(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert reached == ["file", "attribute", "mode", "download", "show-boxes"]
