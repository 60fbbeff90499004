"""Where each size of one layer belongs: its window, its channels, its input or output."""

from __future__ import annotations

import re

from .phrases import BARE, CHANGES_CHANNELS, HAS_WINDOW, NOTHING_BARE, SCALARS
from .sheet import Said, Sheet

MAX_COPIES = 10  # of "two 3x3 convolutions"

# k3 s2 p1, as many network tables have it.
_SHORT = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
_SHORT_KEY = re.compile(r"([kspdg])([0-9]+)")


class Placing:
    """The sizes of one layer put into its sheet, by their nouns, their roles, their order."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.adaptive = sheet.name.startswith("adaptive")
        self.changes_channels = sheet.name in CHANGES_CHANNELS
        self.bare: list[Said] = []
        self.copies = 1

    def place_all(self, sizes: list[Said]) -> None:
        """Every size; "channels" last, since they are the input's or the output's."""
        for said in sorted(sizes, key=lambda said: said.noun == "CHANNELS"):
            self.place(said)
        self.place_bare()

    def place(self, said: Said) -> None:
        """A size where its noun and its role put it; a bare one waits."""
        placer = _PLACE.get(said.noun)
        if placer is not None:
            placer(self, said)
        elif said.noun == "in_channels" or (
            said.noun == "out_channels" and said.role in ("from", "on")  # from 128 units
        ):
            self.put_side("input", said, "in_channels")
        elif said.noun == "out_channels":
            self.put_side("output", said, "out_channels")
        elif said.noun in SCALARS:
            self.sheet.put_count(said.noun, said.item)
        else:
            self.put_window(said.noun, said)

    def put_window(self, key: str, said: Said) -> None:
        """A window's extents; 3x3x64 is neither cubic nor said to be 3-D."""
        item, sheet = said.item, self.sheet
        flat = len(item.extents) == 3 and len(set(item.extents)) > 1 and sheet.keys.get("axes") != 3
        if key == "kernel_size" and flat and self.changes_channels:
            sheet.refuse("window_depth", item, shown=sheet.written(item))
        sheet.put(key, item.window, item.start)

    def put_side(self, side: str, said: Said, key: str) -> None:
        """Several extents are a shape, one number is a number of channels."""
        if not said.item.many:
            self.sheet.put_count(key, said.item)
        elif side == "output" and self.adaptive:
            self.sheet.put("output_size", said.item.window, said.item.start)
        else:
            self.sheet.put_shape(side, said.item)

    # --- by the noun ---

    def place_plain(self, said: Said) -> None:
        """A size without a noun: k3, or by its role; else it waits."""
        item, sheet = said.item, self.sheet
        if said.role == "" and item.tag == "prefix" and sheet.style == "words":
            said.role = "on" if item.many or self.changes_channels else ""
        short = _SHORT_KEY.fullmatch(sheet.written(item))
        if short and said.role == "" and sheet.name in HAS_WINDOW:
            sheet.put(_SHORT[short[1]], int(short[2]), item.start)
        elif said.role in ("from", "on"):
            self.put_side("input", said, "in_channels")
        elif said.role == "to":
            self.put_side("output", said, "output_size" if self.adaptive else "out_channels")
        else:
            self.bare.append(said)

    def place_filter(self, said: Said) -> None:
        """Filters: how large they are, or how many."""
        item, sheet = said.item, self.sheet
        if item.many or (said.noun == "FILTER" and said.noun_first):
            if len(item.extents) == 3 and sheet.keys.get("axes") != 3:  # 11x11x3: depth is last
                sheet.put("kernel_size", item.extents[:2], item.start)
                sheet.put("in_channels", item.extents[2], item.start)
            else:
                sheet.put("kernel_size", item.window, item.start)
        elif said.role in ("from", "on"):
            sheet.put_count("in_channels", item)
        else:
            sheet.put_count("out_channels", item)

    def place_maps(self, said: Said) -> None:
        """Feature maps: what goes in, or how many come out."""
        if said.role in ("on", "from"):
            self.put_side("input", said, "in_channels")
        elif said.item.many:
            self.sheet.put_shape("input", said.item)
        else:
            self.sheet.put_count("out_channels", said.item)

    def place_channels(self, said: Said) -> None:
        """Channels: on the side that is said, else on the one still free."""
        item, sheet = said.item, self.sheet
        if said.role == "to":
            self.put_side("output", said, "out_channels")
        elif said.role or not self.changes_channels:
            self.put_side("input", said, "in_channels")
        elif "in_channels" in sheet.keys and "out_channels" not in sheet.keys:
            sheet.put_count("out_channels", item)
        elif "out_channels" in sheet.keys and "in_channels" not in sheet.keys:
            sheet.put_count("in_channels", item)
        else:
            sheet.refuse("channels_which", item, shown=sheet.written(item))

    def place_input(self, said: Said) -> None:
        """The input: its shape, or its channels."""
        if said.role == "to":
            self.place_output(said)
        elif said.item.one and self.changes_channels:
            self.sheet.put_count("in_channels", said.item)
        else:
            self.sheet.put_shape("input", said.item)

    def place_output(self, said: Said) -> None:
        """The output: its shape, its channels, or the size adapted to."""
        if self.adaptive:
            self.sheet.put("output_size", said.item.more, said.item.start)
        elif said.item.one and self.changes_channels:
            self.sheet.put_count("out_channels", said.item)
        else:
            self.sheet.put_shape("output", said.item)

    # --- by the order ---

    def place_bare(self) -> None:
        """Sizes without a noun or a role: windows and inputs, then numbers in the usual order."""
        sheet = self.sheet
        sized, counted = BARE.get(sheet.name, NOTHING_BARE)
        for said in self.in_order(sized):
            if sized and not self.is_input(said, sized):
                self.put_window(sized, said)
            else:
                sheet.put_shape("input", said.item)
        numbers = [said.item for said in self.bare if said.item.one and not self.is_copies(said)]
        left = [key for key in counted if key not in sheet.keys]
        if len(numbers) > len(left):
            item = numbers[len(left)]
            sheet.refuse("number_unplaced", item, shown=sheet.written(item))
        if len(numbers) == 1 and len(left) == 2:
            sheet.refuse("number_ambiguous", numbers[0], shown=sheet.written(numbers[0]))
        for item, key in zip(numbers, left, strict=False):
            sheet.put_count(key, item)

    def in_order(self, sized: str | None) -> list[Said]:
        """Bare sizes with several extents, the window before the input."""
        found = [said for said in self.bare if said.item.many]
        if sized == "kernel_size" and self.sheet.keys.get("axes") != 3:
            found.sort(key=lambda said: len(said.item.extents) > 2)
        return found

    def is_input(self, said: Said, sized: str) -> bool:
        """Whether a bare size is the input: not beside the layer's name, as its window is."""
        item, head, keys = said.item, self.sheet.head, self.sheet.keys
        beside = min(abs(item.end - head.start), abs(item.start - head.end)) < 2
        if len(item.extents) > 2 and keys.get("axes") != 3:
            return sized in keys or not beside
        return sized in keys and not beside

    def is_copies(self, said: Said) -> bool:
        """Whether a number in front of a plural counts layers: two 3x3 convolutions."""
        item, head = said.item, self.sheet.head
        if said.named or head.kind != "phrase":
            return False
        if item.tag == "spelled" and isinstance(item.more, int) and item.more <= MAX_COPIES:
            self.copies = item.more
            return True
        if head.tag == "plural" and self.sheet.name in BARE:
            shown = self.sheet.written(item)
            self.sheet.refuse("number_ambiguous_layers", item, shown=shown)
        return False


_PLACE = {
    "": Placing.place_plain,
    "FILTER": Placing.place_filter,
    "FILTERS": Placing.place_filter,
    "MAPS": Placing.place_maps,
    "CHANNELS": Placing.place_channels,
    "INPUT": Placing.place_input,
    "OUTPUT": Placing.place_output,
}
