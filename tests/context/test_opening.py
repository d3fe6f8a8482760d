"""What a file is shown as: with the libraries that pictures and PDFs take, and without."""

from __future__ import annotations

import io
import os
from pathlib import Path

import discord
import pytest
from PIL import Image

from aurora.context.attachments import Opener, Room
from aurora.context.child import PINS, Children, NoLibrary
from aurora.context.contents import Extent, decode, extent, is_cut_off, media_type
from aurora.context.fetching import Fetched, Fetcher
from aurora.files import File, Opened
from tests.support.hostile import gif, jpeg, pdf, png, written
from tests.support.house import ROOT


class Shelf(Fetcher):
    """Hands out one file, as far as it is wanted."""

    def __init__(self, data: bytes) -> None:
        super().__init__(discord.Client(intents=discord.Intents.none()))
        self.data = data

    async def fetch(self, _url: str, wanted: object) -> Fetched:
        assert callable(wanted)
        limit = max(4096, wanted(self.data[:4096]))
        return Fetched(self.data[:limit], len(self.data) <= limit)


class Bare(Children):
    """Children on a bot where nothing is installed."""

    def _find(self, _package: str) -> Path | None:
        return None


async def opened(
    data: bytes, *, bare: bool = False, room: Room | None = None, size: int | None = None
) -> Opened:
    """Open a file that says it is a text."""
    file = File(
        id="1",
        channel_id="2",
        message_id="3",
        name="a.txt",
        size=len(data) if size is None else size,
        type="text/plain",
    )
    shelf = Shelf(data)
    opener = Opener(shelf._bot, fetcher=shelf, children=Bare() if bare else None)
    return await opener.open(file, "", room or a_room())


def a_room() -> Room:
    """Return the room of one turn."""

    async def sees() -> bool:
        return True

    return Room(sees)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
def test_text_is_read_strictly(encoding: str) -> None:
    """In UTF-8, and in what a byte order mark says; without one nothing else is guessed."""
    data = "Grüße, 世界 👋".encode(encoding)
    if encoding.endswith("e"):
        assert decode(data, whole=True) is None
    else:
        assert decode(data, whole=True) == "Grüße, 世界 👋"


def test_a_character_that_is_cut_in_two_makes_no_text_unreadable() -> None:
    """Only of a whole file is that a fault."""
    data = "👋👋".encode()[:-1]
    assert decode(data, whole=False) == "👋"
    assert decode(data, whole=True) is None


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_picture_is_read_from_its_header(form: str, lossless: bool) -> None:
    """Of each form that models take, and that it is whole."""
    made = io.BytesIO()
    options = {"lossless": lossless} if form == "WEBP" else {"progressive": lossless}
    Image.effect_noise((123, 45), 50).convert("RGB").save(made, form, **options)
    data = made.getvalue()
    assert media_type(data) == f"image/{form.lower()}"
    assert extent(data) == Extent(123, 45)
    assert not is_cut_off(data)
    assert is_cut_off(data[: len(data) // 2])


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_a_picture_that_moves_is_known(form: str) -> None:
    """Most providers take only those that stand still."""
    made = io.BytesIO()
    frames = [Image.effect_noise((20, 20), 50).convert("RGB") for _ in range(3)]
    frames[0].save(made, form, save_all=True, append_images=frames[1:])
    assert extent(made.getvalue()) == Extent(20, 20, True)


async def test_a_text_is_shown_up_to_a_limit_and_what_is_cut_is_said() -> None:
    """At most 20 kB of one file, 60 kB of all; bytes, not characters."""
    room = a_room()
    first = await opened(b"a" * 15_000, room=room)
    assert (first.about, first.text) == ("text, all of it", "a" * 15_000)
    second = await opened("ü".encode() * 40_000, room=room)
    assert second.about == "text, the first 20 kB of 80 kB"
    assert second.text == "ü" * 10_000
    for left in (20_000, 5_000):
        shown = await opened(b"b" * 90_000, room=room)
        assert len(shown.text or "") == left
    last = await opened(b"c", room=room)
    assert (last.about, last.text) == ("text, not shown: at most 60 kB are, at a time", None)


async def test_a_large_picture_is_made_to_fit() -> None:
    """Upright, without what a camera notes of a place, and not a pixel more than models use."""
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.effect_noise((4000, 1000), 50).convert("RGB").save(made, "JPEG", exif=exif)
    shown = await opened(made.getvalue())
    assert shown.about == "a picture of 4000 × 1000 pixels"
    assert shown.picture is not None
    assert shown.picture.media_type == "image/jpeg"
    assert extent(shown.picture.data) == Extent(392, 1568)
    assert b"a camera" not in shown.picture.data


async def test_a_turn_shows_four_pictures() -> None:
    """The others are told of."""
    room = a_room()
    shown = [await opened(png(9, 9), room=room, bare=True) for _ in range(5)]
    assert [one.picture is not None for one in shown] == [True] * 4 + [False]
    assert shown[-1].about == "a picture, not shown: at most 4 are, at a time"


async def test_the_pictures_of_a_turn_have_five_megabytes_together() -> None:
    """Without what makes them fit they would hold up the loop while they are written."""
    room, large = a_room(), png(1000, 1000, os.urandom(3_000_000))
    shown = [await opened(large, room=room, bare=True) for _ in range(2)]
    assert [one.picture is not None for one in shown] == [True, False]
    assert shown[1].about == (
        "a picture of 1000 × 1000 pixels, not shown: at most 5 MB are, at a time"
    )


@pytest.mark.parametrize(
    ("data", "said", "is_shown"),
    [
        (png(40, 30), "a picture of 40 × 30 pixels", True),
        (jpeg(64, 48), "a picture of 64 × 48 pixels", True),
        (gif(3), "an animated picture of 8 × 8 pixels: it can't be shown", False),
        (png(9000, 2), "a picture of 9000 × 2 pixels: it can't be shown", False),
        (pdf(written("Hello")), "a PDF: its content can't be shown", False),
    ],
    ids=["png", "jpeg", "moving", "too long", "pdf"],
)
async def test_without_libraries_what_fits_goes_as_it_is(
    data: bytes, said: str, is_shown: bool
) -> None:
    """Nothing has to be installed; what can't be shown then is said."""
    shown = await opened(data, bare=True)
    assert shown.about.startswith(said)
    assert (shown.picture is not None and shown.picture.data == data) is is_shown


async def test_the_text_of_a_pdf_is_read() -> None:
    """Up to the limit of every text."""
    shown = await opened(pdf(written("Hello there")))
    assert (shown.about, shown.text) == ("the text of a PDF of 1 pages, all of it", "Hello there")
    blank = await opened(pdf(b" "))
    assert (blank.about, blank.text) == ("a PDF of 1 pages without text in it", None)


def test_the_tests_open_files_with_what_is_offered() -> None:
    """One pin for both."""
    pins = PINS.read_text(encoding="utf-8").splitlines()[1:]
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(pins) == 2
    assert all(f'"{pin}"' in extras for pin in pins)


async def test_a_library_in_auroras_own_folder_is_found(tmp_path: Path) -> None:
    """It is offered to be installed there."""
    (tmp_path / "PIL").mkdir()
    assert Children(tmp_path)._find("PIL") == tmp_path
    assert Children(tmp_path)._find("pypdf") == Path(Image.__file__).parent.parent
    with pytest.raises(NoLibrary):
        await Bare().work("pdf", b"", most=1)
