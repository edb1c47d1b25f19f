#!/usr/bin/env python3
"""A reader of the capsule format, version 1, written from spec/format.md alone.

It needs Python 3.9 and nothing else. It is meant to be read next to the specification: it follows the
order of that page, and numbers in comments such as "(5.2)" are its sections.

    python3 capsule_reader.py FILE             print what the file holds, as JSON
    python3 capsule_reader.py --check DIR      compare every DIR/*.cpsl with the .json beside it

The file is hostile until proved otherwise: each length is compared with what is really there before it is
used, nothing is decompressed beyond a limit, and whatever is wrong becomes a CapsuleError, nothing else.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import struct
import sys

HEADER_MAGIC = bytes.fromhex("894350534C0D0A1A")
BATCH_MAGIC = bytes.fromhex("CB4350534C62610A")
HEADER_SIZE, FIRST_BATCH, BATCH_HEADER = 4096, 8192, 128

MAX_RAW = 4_194_304         # a batch before compression (12)
MAX_FRAMES = 65_535
MAX_INLINE = 262_144
MAX_BODY = 67_108_864       # hence a blob has at most 64 chunks
MAX_OBJECT = 1_048_576      # also the size of a chunk
MAX_NESTING = 64

TIMELINE, OBJECTS = 1, 2                                                        # batch kinds (3)
EVENT, SNAPSHOT, CHUNK, MANIFEST, NOTE, DOCUMENT, FOREIGN_PROOF = range(1, 8)   # frame kinds (4)
OBJECT_NAMES = {SNAPSHOT: "snapshot", CHUNK: "chunk", MANIFEST: "manifest", NOTE: "note",
                DOCUMENT: "document", FOREIGN_PROOF: "foreign-proof"}
FIRST_OPTIONAL_KIND = 128
NO_BODY, INLINE, BLOB = 0, 1, 2                                                 # body kinds (5.1)

RUN_START, RUN_END, ACTOR, STAGE, SNAPSHOT_EVENT = 1, 2, 3, 4, 5
CAPSULE_CREATE, CAPSULE_CLOSE = 64, 67
RUN_ZERO_ONLY = range(64, 69)
EVENT_NAMES = {
    1: "run.start", 2: "run.end", 3: "actor", 4: "stage", 5: "snapshot", 6: "checkpoint",
    16: "routing.decision", 17: "routing.settlement", 18: "model.call", 19: "retrieval.request",
    20: "retrieval.response", 21: "tool.call", 22: "tool.result", 23: "patch.applied",
    24: "gate.decision", 25: "gate.result", 26: "human.answer", 27: "error", 28: "budget.alert",
    29: "override", 30: "note", 64: "capsule.create", 65: "capsule.erase", 66: "capsule.salvage",
    67: "capsule.close", 68: "capsule.adopt"}
ZERO_RUN, ZERO_HASH = bytes(16), bytes(32)

BROKEN = {"lz4-malformed", "frame-malformed", "envelope-malformed", "object-mismatch",
          "size-mismatch", "root-mismatch"}      # section 13: these end the reading


class CapsuleError(Exception):
    """What is wrong, by its name in section 13. The caller knows the offset."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class BadBatch(Exception):
    """9.1: a batch that is torn or damaged; 9.2 says which of the two."""


def require(condition, code):
    if not condition:
        raise CapsuleError(code)


# ---------------------------------------------------------------------------------------------------------
# Checksums and hashes (1, 3)

def _crc_tables():
    """Slicing by 8: tables[k][b] is the effect of byte b, followed by k zero bytes."""
    first = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)     # 0x1EDC6F41, reflected
        first.append(value)
    tables = [first]
    for _ in range(7):
        tables.append([first[value & 255] ^ value >> 8 for value in tables[-1]])
    return tables


_CRC = _crc_tables()


def crc32c(data, before=0):
    """CRC32C of data; `before` is the CRC32C of whatever stands in front of it."""
    t0, t1, t2, t3, t4, t5, t6, t7 = _CRC
    crc = before ^ 0xFFFFFFFF
    whole = len(data) & ~7
    for low, high in struct.iter_unpack("<II", data[:whole]):
        low ^= crc
        crc = (t7[low & 255] ^ t6[low >> 8 & 255] ^ t5[low >> 16 & 255] ^ t4[low >> 24]
               ^ t3[high & 255] ^ t2[high >> 8 & 255] ^ t1[high >> 16 & 255] ^ t0[high >> 24])
    for byte in data[whole:]:
        crc = t0[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def xxh32_short(data):
    """XXH32 with seed 0 of fewer than 16 bytes: all that an LZ4 frame header needs."""
    mask = 0xFFFFFFFF

    def rotate(value, bits):
        return (value << bits | value >> 32 - bits) & mask

    h = 374761393 + len(data) & mask
    whole = len(data) & ~3
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        h = rotate(h + word * 3266489917 & mask, 17) * 668265263 & mask
    for byte in data[whole:]:
        h = rotate(h + byte * 374761393 & mask, 11) * 2654435761 & mask
    h = (h ^ h >> 15) * 2246822519 & mask
    h = (h ^ h >> 13) * 3266489917 & mask
    return h ^ h >> 16


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


# ---------------------------------------------------------------------------------------------------------
# LZ4 (6.2)

def lz4_frame(source, raw_length):
    """Decompress exactly one LZ4 frame, which must give exactly raw_length bytes."""
    malformed = "lz4-malformed"
    require(len(source) >= 19 and source[:4] == b"\x04\x22\x4D\x18", malformed)
    flags, block_code = source[4], source[5]
    # Version 01, content size present; no block or content checksum, no dictionary. Bit 5 is free.
    require(flags & 0b11011111 == 0b01001000, malformed)
    require(block_code & 0b10001111 == 0 and block_code >> 4 >= 4, malformed)
    require(struct.unpack_from("<Q", source, 6)[0] == raw_length, malformed)
    require(source[14] == xxh32_short(source[4:14]) >> 8 & 255, malformed)
    independent = flags & 0b00100000
    largest_block = 1 << 8 + 2 * (block_code >> 4)        # 4: 64 KiB ... 7: 4 MiB
    out, at = bytearray(), 15
    while True:
        require(len(source) - at >= 4, malformed)
        size = struct.unpack_from("<I", source, at)[0]
        at += 4
        if size == 0:                                     # the end mark
            break
        stored, size = size >> 31, size & 0x7FFFFFFF
        require(size <= largest_block and size <= len(source) - at, malformed)
        limit = min(raw_length, len(out) + largest_block)
        if stored:
            require(len(out) + size <= limit, malformed)
            out += source[at:at + size]
        else:
            lz4_block(source[at:at + size], out, len(out) if independent else 0, limit)
        at += size
    require(at == len(source) and len(out) == raw_length, malformed)
    return bytes(out)


def lz4_block(source, out, window, limit):
    """Append one block to out. Matches reach back to out[window] at most; out never grows beyond limit."""
    malformed = "lz4-malformed"
    at, end, match_start = 0, len(source), None
    while True:
        require(at < end, malformed)                      # a block ends after literals, never after a match
        token = source[at]
        literals, at = lz4_length(source, at + 1, token >> 4)
        require(literals <= end - at and len(out) + literals <= limit, malformed)
        out += source[at:at + literals]
        at += literals
        if at == end:
            break
        require(end - at >= 2, malformed)
        distance = source[at] | source[at + 1] << 8
        length, at = lz4_length(source, at + 2, token & 15)
        length += 4
        match_start = len(out)
        require(0 < distance <= match_start - window and match_start + length <= limit, malformed)
        copy_match(out, distance, length)
    # The end of a block, by the LZ4 block format: five literals, and no match in the last twelve bytes.
    if match_start is not None:
        require(literals >= 5 and len(out) - match_start >= 12, malformed)


def lz4_length(source, at, length):
    """A length of 15 goes on in further bytes, to the first that is not 255."""
    if length == 15:
        while True:
            require(at < len(source), "lz4-malformed")
            more = source[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at


def copy_match(out, distance, length):
    start = len(out) - distance
    if distance >= length:
        out += out[start:start + length]
    else:                                                 # the match overlaps itself: a repeated pattern
        out += (bytes(out[start:]) * (length // distance + 1))[:length]


def decompress(codec, stored, raw_length):
    require(codec in (0, 1), "unsupported")
    return stored if codec == 0 else lz4_frame(stored, raw_length)


# ---------------------------------------------------------------------------------------------------------
# The file header (2.1)

WHITE_SPACE = set(map(chr, [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
                            0x202F, 0x205F, 0x3000]))


def is_name(text):
    """What an origin may be: not empty; no control character, white space or plus sign."""
    return text != "" and not any(c < " " or c in "\x7f+" or c in WHITE_SPACE for c in text)


def padded_name(field, length):
    """The text in a field padded with zeroes, or a header-damaged error."""
    require(1 <= length <= 255 and not any(field[length:]), "header-damaged")
    try:
        text = field[:length].decode("utf-8")
    except UnicodeDecodeError:
        raise CapsuleError("header-damaged") from None
    require(is_name(text), "header-damaged")
    return text


def choose_header(data):
    """Returns the copy of the header to use, and the number (1 or 2) of a damaged one."""
    copies = [data[:HEADER_SIZE], data[HEADER_SIZE:FIRST_BATCH]]
    require(any(copy.startswith(HEADER_MAGIC) for copy in copies), "not-a-capsule")
    intact = [len(copy) == HEADER_SIZE and copy.startswith(HEADER_MAGIC)
              and crc32c(copy[:4092]) == struct.unpack_from("<I", copy, 4092)[0] for copy in copies]
    require(any(intact), "header-damaged")
    if all(intact):
        require(copies[0] == copies[1], "headers-differ")
        return copies[0], None
    return (copies[0], 2) if intact[0] else (copies[1], 1)


class FileHeader:
    def __init__(self, copy):
        (read_version, write_version, suite, flags, origin_length, self.capsule_id, self.generation,
         _created, reserved, size, root, predecessor_length, reserved2) = struct.unpack_from(
            "<HHBBH16sQq8sQ32sH2s", copy, 8)
        require(read_version <= 1, "newer-format")        # before any other field
        require(suite == 1, "unsupported")
        reserved_is_zero = not any(reserved) and not any(reserved2) and not any(copy[612:4092])
        require(read_version == 1 and write_version >= 1 and flags <= 1 and reserved_is_zero, "header-damaged")
        self.origin = padded_name(copy[100:356], origin_length)
        self.predecessor = None
        if flags & 1:
            require(size > 0, "header-damaged")
            self.predecessor = {"origin": padded_name(copy[356:612], predecessor_length),
                                "size": size, "root": root.hex()}
        else:
            absent = size == 0 and root == ZERO_HASH and predecessor_length == 0 and not any(copy[356:612])
            require(absent, "header-damaged")
        self.checksum = struct.unpack_from("<I", copy, 4092)[0]

    def seeded_crc(self, data, begin, length):
        """CRC32C of a part of the file, behind the seed that ties it to this capsule and place (3)."""
        seed = self.capsule_id + struct.pack("<QQ", self.generation, begin)
        return crc32c(data[begin:begin + length], crc32c(seed))


# ---------------------------------------------------------------------------------------------------------
# The batch header (3)

class BatchHeader:
    """The 128 bytes at `at`; there must be so many. Nothing is judged here."""

    def __init__(self, data, at):
        (self.magic, self.kind, self.codec, self.cipher, reserved, self.frames, key_id, self.features, self.number,
         self.durable, self.tree_size, self.root, self.events, self.raw_length, self.stored_length, self.previous,
         self.body_checksum, reserved2, self.checksum) = struct.unpack_from("<8sBBBBIQQQQQ32sIIIII16sI", data, at)
        self.at, self.body = at, at + BATCH_HEADER
        self.reserved_is_zero = reserved == 0 and not any(reserved2) and (self.cipher != 0 or key_id == 0)

    def is_valid(self, file, data):
        """Magic, reserved fields, and the checksum (last, for it costs most)."""
        return (self.magic == BATCH_MAGIC and self.reserved_is_zero
                and self.checksum == file.seeded_crc(data, self.at, 124))

    def lengths_are_valid(self):
        right_stored = {0: self.stored_length == self.raw_length, 1: self.stored_length < self.raw_length}
        return 8 <= self.raw_length <= MAX_RAW and right_stored.get(self.codec, True)

    def is_supported(self):
        return (self.features == 0 and self.codec in (0, 1) and self.cipher == 0
                and self.kind in (TIMELINE, OBJECTS))


# ---------------------------------------------------------------------------------------------------------
# Frames (4)

class Frame:
    def __init__(self, kind, flags, auxiliary, content):
        self.kind, self.flags, self.auxiliary, self.content = kind, flags, auxiliary, content


def split_frames(body, header):
    """The frames of a body: as many as the header says, without a byte left over."""
    malformed = "frame-malformed"
    require(1 <= header.frames <= MAX_FRAMES, malformed)
    require(header.kind == TIMELINE or header.codec == 0, malformed)    # objects batches use codec 0 (3)
    frames, at = [], 0
    while at < len(body):
        require(len(body) - at >= 8 and len(frames) < header.frames, malformed)
        length, kind, flags, auxiliary = struct.unpack_from("<IBBH", body, at)
        at += 8
        require(length <= len(body) - at, malformed)
        if kind < FIRST_OPTIONAL_KIND:
            require(kind in ((EVENT,) if header.kind == TIMELINE else OBJECT_NAMES), malformed)
        frames.append(Frame(kind, flags, auxiliary, body[at:at + length]))
        at += length
    require(len(frames) == header.frames, malformed)
    require(sum(frame.kind == EVENT for frame in frames) == header.events, malformed)
    return [frame for frame in frames if frame.kind < FIRST_OPTIONAL_KIND]


# ---------------------------------------------------------------------------------------------------------
# Events (5)

# 5.2: three labels or more, each of 1 to 63 characters, beginning with a letter.
TYPE_NAME = re.compile(rb"[a-z][a-z0-9_-]{0,62}(\.[a-z][a-z0-9_-]{0,62}){2,}")


class Envelope:
    def __init__(self, source):
        malformed = "envelope-malformed"
        require(len(source) >= 80, malformed)
        (version, flags, scheme, self.body_kind, self.type, self.media, causes, name_length, reserved, self.sequence,
         self.actor, self.stage, self.time, self.run, self.snapshot) = struct.unpack_from(
            "<BBBBHHBBHIIIq16s32s", source)
        require(version == 1 and flags <= 0b1111 and reserved == 0, malformed)
        require(self.body_kind <= BLOB and causes <= 8 and name_length <= 128, malformed)
        require(scheme == (0 if self.body_kind == NO_BODY else 1), malformed)
        require((self.media == 0) == (self.body_kind == NO_BODY), malformed)
        require((name_length == 0) == (self.type != 0), malformed)
        sizes = [20 * causes, 25 if flags & 2 else 0, 16 if flags & 1 else 0, 16 if flags & 4 else 0,
                 33 if flags & 8 else 0, name_length]
        require(len(source) == 80 + sum(sizes), malformed)
        parts, at = [], 80
        for size in sizes:                                # in this order; an absent part has no bytes
            parts.append(bytes(source[at:at + size]))
            at += size
        self.causes = [struct.unpack_from("<16sI", parts[0], 20 * i) for i in range(causes)]
        self.trace, self.key, self.token, self.seal = (part or None for part in parts[1:5])
        require(self.token is None or self.type == RUN_START, malformed)
        require((self.seal is not None) == (self.type == RUN_END), malformed)
        require(name_length == 0 or TYPE_NAME.fullmatch(parts[5]), malformed)
        self.type_name = parts[5].decode("ascii") or EVENT_NAMES.get(self.type, "#%d" % self.type)


class Event(Envelope):
    """An event frame (5.1), its commitment and its leaf (5.3)."""

    def __init__(self, frame):
        malformed = "frame-malformed"
        require(frame.flags <= 1 and frame.auxiliary <= len(frame.content), malformed)
        envelope, rest = frame.content[:frame.auxiliary], frame.content[frame.auxiliary:]
        super().__init__(envelope)
        self.withheld, self.body = bool(frame.flags & 1), b""
        if self.body_kind == NO_BODY:
            require(not self.withheld and len(rest) == 0, malformed)
            commitment = ZERO_HASH
        elif self.withheld:
            require(len(rest) == 32, malformed)
            commitment = rest
        else:
            right = len(rest) == 56 if self.body_kind == BLOB else 16 <= len(rest) <= 16 + MAX_INLINE
            require(right, malformed)
            self.body = rest[16:]
            commitment = sha256(rest)                     # SHA-256(salt, body), as they stand here
        self.leaf_hash = sha256(b"\0", envelope, commitment)

    def blob_reference(self):
        return bytes(self.body[:32]), struct.unpack_from("<Q", self.body, 32)[0]


# ---------------------------------------------------------------------------------------------------------
# Objects (6.1)

class StoredObject:
    """An object frame, taken apart. `content()` is the object itself."""

    def __init__(self, frame):
        malformed = "frame-malformed"
        require(frame.flags == 0 and (frame.auxiliary == 0 or frame.kind == DOCUMENT), malformed)
        require(len(frame.content) >= 40, malformed)
        self.kind, self.stored = frame.kind, frame.content[40:]
        self.length, self.codec, reserved, self.id = struct.unpack_from("<IB3s32s", frame.content)
        require(not any(reserved) and self.length <= MAX_OBJECT, malformed)
        require(self.codec in (0, 1), "unsupported")
        require(len(self.stored) == self.length if self.codec == 0 else len(self.stored) < self.length, malformed)

    def content(self):
        return decompress(self.codec, self.stored, self.length)


class KnownChunks:
    """What is known of one chunk ID: frames whose ID no manifest has let us check yet, and one that is right."""

    def __init__(self):
        self.unchecked, self.good, self.salt = [], None, None

    def check(self, salt, length):
        """A manifest says which salt and length the chunk has. Returns the chunk, or None if it is not here."""
        for chunk in self.unchecked:
            require(sha256(b"\2", salt, chunk.content()) == chunk.id, "object-mismatch")
            self.good, self.salt = self.good or chunk, self.salt or salt
        self.unchecked = []
        if self.good:
            require(self.salt == salt and self.good.length == length, "object-mismatch")
        return self.good


class ObjectStore:
    """The objects that have been read so far."""

    def __init__(self):
        self.snapshots, self.chunks, self.blobs, self.digests = set(), {}, {}, {}

    def add(self, item):
        """Check what can be checked and remember the object. Returns the text of a note, else None."""
        content = item.content()
        if item.kind == CHUNK:                            # its ID can be checked when its manifest comes
            require(item.length >= 1, "object-mismatch")
            self.chunks.setdefault(item.id, KnownChunks()).unchecked.append(item)
            return None
        prefix = b"\3" if item.kind == MANIFEST else b""
        require(sha256(prefix, content) == item.id, "object-mismatch")
        if item.kind == MANIFEST:
            self.add_manifest(item.id, content)
        elif item.kind == SNAPSHOT:
            require(is_canonical_json(content), "object-mismatch")
            self.snapshots.add(item.id)
        return parse_checkpoint(content) if item.kind == NOTE else None

    def add_manifest(self, blob_id, content):
        require(len(content) >= 28, "object-mismatch")
        salt, length, count = struct.unpack_from("<16sQI", content)
        right_form = (1 <= length <= MAX_BODY and count == (length + MAX_OBJECT - 1) // MAX_OBJECT
                      and len(content) == 28 + 32 * count)
        require(right_form, "object-mismatch")
        chunks, left = [], length
        for i in range(count):
            known = self.chunks.get(bytes(content[28 + 32 * i:60 + 32 * i]))
            chunks.append(known and known.check(salt, min(left, MAX_OBJECT)))
            left -= MAX_OBJECT
        if all(chunks):                                   # else chunks were erased: the blob is not here
            self.blobs[blob_id] = (length, chunks)

    def blob_digest(self, blob_id, length):
        """SHA-256 of a blob's content, or None if it is not in the file so far, or has another length."""
        if blob_id not in self.blobs or self.blobs[blob_id][0] != length:
            return None
        if blob_id not in self.digests:
            digest = hashlib.sha256()
            for chunk in self.blobs[blob_id][1]:
                digest.update(chunk.content())            # one chunk at a time in memory
            self.digests[blob_id] = digest.digest()
        return self.digests[blob_id]


def parse_checkpoint(content):
    """The form of a checkpoint note. Returns origin, size and root."""
    malformed = "object-mismatch"
    try:
        lines = bytes(content).decode("utf-8").split("\n")
        require(len(lines) >= 4 and lines.pop() == "", malformed)       # the last line ends with a newline too
        require(is_name(lines[0]) and re.fullmatch("0|[1-9][0-9]{0,19}", lines[1]), malformed)
        root = strict_base64(lines[2])
        require(int(lines[1]) < 1 << 64 and len(root) == 32, malformed)
        if len(lines) > 3:
            require(lines[3] == "" and len(lines) > 4, malformed)
            for line in lines[4:]:                                      # em dash, key name, key hash and signature
                dash, name, signature = line.split(" ")
                require(dash == "\u2014" and is_name(name) and len(strict_base64(signature)) > 4, malformed)
    except ValueError:
        raise CapsuleError(malformed) from None
    return lines[0], int(lines[1]), root


def strict_base64(text):
    """Raises ValueError for anything but the one encoding of some bytes."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode("ascii") != text:
        raise ValueError("not canonical")
    return value


# RFC 8785: text is canonical exactly if writing down again what was read gives the same bytes.

def is_canonical_json(content):
    def refuse(name):
        raise ValueError(name)
    try:
        text = bytes(content).decode("utf-8")
        value = json.loads(text, parse_int=float, parse_constant=refuse)
        return canonical_json(value, 0) == text
    except (ValueError, RecursionError):                  # UnicodeError is a ValueError
        return False


def canonical_json(value, depth):
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return canonical_number(value)
    if isinstance(value, str):
        value.encode("utf-8")                             # no lone surrogates
        return json.dumps(value, ensure_ascii=False)
    if depth == MAX_NESTING:
        raise ValueError("too deep")
    if isinstance(value, list):
        return "[" + ",".join(canonical_json(item, depth + 1) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(canonical_json(name, depth + 1) + ":" + canonical_json(value[name], depth + 1)
                          for name in names) + "}"


def canonical_number(value):
    """A double as ECMAScript writes it. Python's repr finds the same digits, but places them otherwise."""
    if value == 0:
        return "0"
    if value in (float("inf"), float("-inf")):
        raise ValueError("no such number")
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    all_digits = (whole + fraction).rstrip("0")
    digits = all_digits.lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(all_digits) - len(digits))     # 0.digits × 10^point
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    rest = "." + digits[1:] if count > 1 else ""
    return "%s%s%se%+d" % (sign, digits[0], rest, point - 1)


# ---------------------------------------------------------------------------------------------------------
# The tree (7.1)

class Tree:
    """RFC 6962, leaf by leaf. It keeps the roots of the full subtrees that make up the tree: one for each
    bit of the size that is set, the largest first."""

    def __init__(self):
        self.size, self.roots = 0, []

    def append(self, leaf_hash):
        joins = self.size                                 # as with a carry: one join for each low bit that is set
        while joins & 1:
            leaf_hash = sha256(b"\1", self.roots.pop(), leaf_hash)
            joins >>= 1
        self.roots.append(leaf_hash)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256()
        result = self.roots[-1]
        for left in self.roots[-2::-1]:
            result = sha256(b"\1", left, result)
        return result


# ---------------------------------------------------------------------------------------------------------
# Rules of a run (8)

class Run:
    def __init__(self):
        self.next_sequence, self.sequences, self.tree = 0, set(), Tree()
        self.snapshot, self.stage, self.actors, self.keys, self.ended = None, 0, set(), set(), False


class Rules:
    """Judges events in file order. After a finding it goes on from what the event says, so that one mistake
    gives one finding. An event has each code at most once; codes stand in the order of section 13."""

    def __init__(self, snapshots):
        self.snapshots, self.runs, self.run_names = snapshots, {}, set()
        self.index, self.closed, self.open_causes = 0, False, []

    def judge(self, event):
        """Returns the codes of the rules that this event breaks."""
        zero = event.run == ZERO_RUN
        run = self.runs.setdefault(event.run, Run())
        rules = [("run-sequence", self.sequence_is_right(event, run, zero)),
                 ("run-snapshot", self.snapshot_is_right(event, run, zero)),
                 ("run-actor", self.actor_is_right(event, run)),
                 ("run-stage", self.stage_is_right(event, run, zero)),
                 ("run-cause", self.causes_are_right(event)),
                 ("run-seal", self.seal_is_right(event, run, zero)),
                 ("run-key", self.key_is_right(event, run))]
        self.remember(event, run)
        return [code for code, right in rules if not right]

    def sequence_is_right(self, event, run, zero):
        start = CAPSULE_CREATE if zero else RUN_START
        is_start = event.type in (RUN_START, CAPSULE_CREATE)
        rule_1 = event.sequence == run.next_sequence
        rule_2 = event.type == start if event.sequence == 0 else not is_start
        # 7.3: capsule.create is the first event of the file; registry: 64 to 68 in run zero only; close is last.
        run_zero = zero or event.type not in RUN_ZERO_ONLY
        first = (self.index == 0) == (event.type == CAPSULE_CREATE)
        return rule_1 and rule_2 and run_zero and first and not self.closed

    def snapshot_is_right(self, event, run, zero):
        if zero:
            return event.snapshot == ZERO_HASH and event.type != SNAPSHOT_EVENT
        goes_on = run.snapshot in (None, event.snapshot) or event.type == SNAPSHOT_EVENT       # rule 4
        return event.snapshot != ZERO_HASH and event.snapshot in self.snapshots and goes_on    # rule 3

    def actor_is_right(self, event, run):
        if event.type == ACTOR:
            return event.actor == event.sequence
        return event.actor == 0 or event.actor in run.actors

    def stage_is_right(self, event, run, zero):
        if zero:
            return event.stage == 0 and event.type != STAGE
        return event.stage == (event.sequence if event.type == STAGE else run.stage)

    def causes_are_right(self, event):
        known = [cause for cause in event.causes if cause[0] in self.runs]
        if any(sequence not in self.runs[run].sequences for run, sequence in known):
            return False
        unknown = [run for run, _ in event.causes if run not in self.runs]
        if unknown:                                       # right only if no such run begins later in the file
            self.open_causes.append((event.run, event.sequence, unknown))
        return True

    def causes_at_end(self):
        return [finding("run-cause", run, sequence) for run, sequence, unknown in self.open_causes
                if any(other in self.runs for other in unknown)]

    def seal_is_right(self, event, run, zero):
        if run.ended or (zero and event.type == RUN_END):
            return False
        return event.type != RUN_END or event.seal[1:] == run.tree.root()

    def key_is_right(self, event, run):
        return event.key not in run.keys and not (event.type == RUN_START and event.key in self.run_names)

    def remember(self, event, run):
        run.next_sequence = event.sequence + 1
        run.sequences.add(event.sequence)
        run.tree.append(event.leaf_hash)
        run.snapshot = event.snapshot
        if event.type == STAGE:
            run.stage = event.sequence
        if event.type == ACTOR:
            run.actors.add(event.sequence)
        if event.key is not None:
            run.keys.add(event.key)
            if event.type == RUN_START:
                self.run_names.add(event.key)
        run.ended = run.ended or event.type == RUN_END
        self.closed = self.closed or event.type == CAPSULE_CLOSE
        self.index += 1


def finding(code, run=None, sequence=None):
    return {"code": code, "run": None if run is None else run.hex(), "sequence": sequence}


# ---------------------------------------------------------------------------------------------------------
# Reading (9)

class Reader:
    """Reads one capsule. `durable` is what the note beside it says (11), or 0."""

    def __init__(self, data, header, durable=0):
        self.data, self.view, self.header, self.durable = data, memoryview(data), header, durable
        self.at, self.batches, self.previous = FIRST_BATCH, 0, None
        self.tree, self.roots = Tree(), {}                # roots: tree size of each batch, and its root
        self.store = ObjectStore()
        self.rules = Rules(self.store.snapshots)
        self.events, self.objects, self.findings, self.error = [], [], [], None

    def read(self):
        try:
            while self.at < len(self.data):
                self.read_batch()
            self.error = self.judge_end()
        except BadBatch:
            rest_is_zero = self.data.count(0, self.at) == len(self.data) - self.at
            self.error = self.judge_end() if rest_is_zero else self.judge_bad_batch()
        except CapsuleError as error:
            self.error = error.code
        self.findings += self.rules.causes_at_end()

    def read_batch(self):
        header = self.read_batch_header()
        if not header.is_supported():                                                          # step 3
            raise CapsuleError("unsupported")
        if header.stored_length > len(self.data) - header.body:                                # step 4
            raise BadBatch
        if header.body_checksum != self.header.seeded_crc(self.view, header.body, header.stored_length):
            raise BadBatch
        self.read_body(header)                                                                 # step 5
        self.previous = header
        self.at = header.body + header.stored_length
        self.batches += 1

    def read_batch_header(self):
        if len(self.data) - self.at < BATCH_HEADER:                                            # step 1
            raise BadBatch
        header = BatchHeader(self.data, self.at)
        if not header.is_valid(self.header, self.view) or not header.lengths_are_valid():
            raise BadBatch
        before = self.previous                                                                 # step 2
        chained = header.previous == (before.checksum if before else self.header.checksum)
        durable_is_right = (before.durable if before else FIRST_BATCH) <= header.durable <= self.at
        if header.number != self.batches or not chained or not durable_is_right:
            raise BadBatch
        return header

    def read_body(self, header):
        """All or nothing: what is reported changes only after every check has passed."""
        stored = self.view[header.body:header.body + header.stored_length]
        body = memoryview(decompress(header.codec, stored, header.raw_length))
        frames = split_frames(body, header)
        if header.kind == TIMELINE:
            items = [Event(frame) for frame in frames]
            for event in items:
                self.tree.append(event.leaf_hash)
        else:
            items = [StoredObject(frame) for frame in frames]
            notes = [self.store.add(item) for item in items]
        require(header.tree_size == self.tree.size, "size-mismatch")
        require(header.root == self.tree.root(), "root-mismatch")
        if header.kind == TIMELINE:
            self.report_events(items)
        else:
            self.report_objects(items, notes)
        self.roots[header.tree_size] = header.root

    def report_events(self, events):
        for event in events:
            codes = self.rules.judge(event)
            described = describe_event(event, len(self.events), self.store)
            if described["body"]["kind"] == "blob" and described["body"]["sha256"] is None:
                codes.append("blob-missing")
            self.events.append(described)
            self.findings += [finding(code, event.run, event.sequence) for code in codes]

    def report_objects(self, items, notes):
        for item, note in zip(items, notes):
            self.objects.append({"kind": OBJECT_NAMES[item.kind], "id": item.id.hex(), "length": item.length})
            if note:
                origin, size, root = note                 # it must speak of an earlier batch (6.1)
                if origin != self.header.origin or self.roots.get(size) != root:
                    self.findings.append(finding("note-mismatch"))

    # 9.2: torn or damaged

    def judge_end(self):
        """No bad batch, or only zeroes. Even so, the file may have been longer."""
        if len(self.data) < max(self.durable, FIRST_BATCH):
            return "cut-short"
        return "damaged" if self.durable > self.at else None

    def judge_bad_batch(self):
        if self.durable_header_follows():
            return "damaged"
        return self.judge_end() or "torn-tail"

    def durable_header_follows(self):
        """Is there, after X, a valid header of a batch that was made when X was known to be synced?"""
        at = self.data.find(BATCH_MAGIC, self.at + 1)
        while 0 <= at <= len(self.data) - BATCH_HEADER:
            header = BatchHeader(self.data, at)
            if header.durable > self.at and header.is_valid(self.header, self.view):
                return True
            at = self.data.find(BATCH_MAGIC, at + 1)
        return False


# ---------------------------------------------------------------------------------------------------------
# What is printed (vectors/README.md)

def read_capsule(data, note=b""):
    """The description of a capsule, as in vectors/README.md. `note` is the content of the note beside it."""
    result = {"status": "refused", "error": None, "damaged_header_copy": None}
    try:
        copy, result["damaged_header_copy"] = choose_header(data)
        header = FileHeader(copy)
    except CapsuleError as error:
        result["damaged_header_copy"] = None
        result["error"] = {"code": error.code, "offset": 0}
        return result
    reader = Reader(data, header, durable_length(note, header))
    reader.read()
    if reader.error:
        result["error"] = {"code": reader.error, "offset": reader.at}
    result.update({
        "status": status(reader.error, reader.findings),
        "capsule_id": header.capsule_id.hex(), "origin": header.origin, "generation": header.generation,
        "predecessor": header.predecessor, "end": reader.at, "batches": reader.batches,
        "tree_size": len(reader.events), "root": last_root(reader),
        "events": reader.events, "objects": reader.objects, "findings": reader.findings})
    return result


def last_root(reader):
    return (reader.previous.root if reader.previous else sha256()).hex()


def status(error, findings):
    if error in ("damaged", "cut-short"):
        return "damaged"
    if error == "unsupported":
        return "refused"
    if error in BROKEN or findings:
        return "broken"
    return error or "ok"                                  # "torn-tail"


def durable_length(note, header):
    """The first line of the note beside the capsule (11). A note of another capsule, or a bad one, counts as none."""
    match = re.match(rb"capsule-note-1 ([0-9a-f]{32}) ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{8})\n", note)
    if not match or int(match[4], 16) != crc32c(note[:82]):
        return 0
    if bytes.fromhex(match[1].decode()) != header.capsule_id or int(match[2], 16) != header.generation:
        return 0
    return int(match[3], 16)


def hex_or_none(value):
    return None if value is None else value.hex()


def describe_event(event, index, store):
    return {
        "index": index, "run": event.run.hex(), "sequence": event.sequence, "type": event.type_name,
        "time": event.time, "snapshot": event.snapshot.hex(), "actor": event.actor, "stage": event.stage,
        "causes": [{"run": run.hex(), "sequence": sequence} for run, sequence in event.causes],
        "key": hex_or_none(event.key), "trace": hex_or_none(event.trace), "token": hex_or_none(event.token),
        "seal": event.seal and {"outcome": event.seal[0], "root": event.seal[1:].hex()},
        "media": event.media, "body": describe_body(event, store), "leaf_hash": event.leaf_hash.hex()}


def describe_body(event, store):
    if event.withheld or event.body_kind == NO_BODY:
        return {"kind": "withheld" if event.withheld else "none", "length": 0, "sha256": None}
    if event.body_kind == INLINE:
        return {"kind": "inline", "length": len(event.body), "sha256": sha256(event.body).hex()}
    blob_id, length = event.blob_reference()
    return {"kind": "blob", "length": length, "sha256": hex_or_none(store.blob_digest(blob_id, length))}


# ---------------------------------------------------------------------------------------------------------
# The command

def load(path):
    with open(path, "rb") as file:
        return file.read()


def first_difference(expected, found, path=""):
    """None, or (path, expected value, found value) of the first place where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(set(expected) | set(found)):
            different = first_difference(expected.get(key, "(absent)"), found.get(key, "(absent)"),
                                         path + "." + key if path else key)
            if different:
                return different
        return None
    if isinstance(expected, list) and isinstance(found, list):
        for i, (one, other) in enumerate(zip(expected, found)):
            different = first_difference(one, other, "%s[%d]" % (path, i))
            if different:
                return different
        return None if len(expected) == len(found) else (path + ".length", len(expected), len(found))
    same = type(expected) is type(found) and expected == found
    return None if same else (path, expected, found)


def check_vector(directory, name):
    """None if the vector is read as its JSON says, else a sentence."""
    base = os.path.join(directory, name)
    try:
        expected = json.loads(load(base + ".json").decode("utf-8"))
        if not isinstance(expected, dict):
            return "the JSON is not an object"
        beside = expected.pop("note", None)
        note = load(os.path.join(directory, os.path.basename(str(beside)))) if beside else b""
        found = read_capsule(load(base + ".cpsl"), note)
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    for ignored in ("description", "features"):
        expected.pop(ignored, None)
    different = first_difference(expected, found)
    return different and "%s: expected %s, found %s" % (
        different[0] or "(all)", json.dumps(different[1]), json.dumps(different[2]))


def check_directory(directory):
    endings = (".cpsl", ".json")
    names = sorted({os.path.splitext(name)[0] for name in os.listdir(directory) if name.endswith(endings)})
    failed = 0
    for name in names:
        problem = check_vector(directory, name)
        if problem:
            failed += 1
            print("%s: %s" % (name, problem))
    print("%d passed, %d failed" % (len(names) - failed, failed))
    return 1 if failed or not names else 0


def main():
    parser = argparse.ArgumentParser(description="Read a capsule and print what it holds as JSON.")
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--note", metavar="FILE", help="use this note beside the capsule as evidence (section 11)")
    parser.add_argument("--check", metavar="DIR", help="compare every capsule in DIR with the JSON beside it")
    arguments = parser.parse_args()
    if (arguments.file is None) == (arguments.check is None):
        parser.error("give either FILE or --check DIR")
    try:
        if arguments.check is not None:
            return check_directory(arguments.check)
        result = read_capsule(load(arguments.file), load(arguments.note) if arguments.note else b"")
    except (OSError, MemoryError) as error:
        print("capsule_reader: %s" % (error or "out of memory"), file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2, sort_keys=True))
    return {"ok": 0, "torn-tail": 0, "refused": 2}.get(result["status"], 1)


if __name__ == "__main__":
    sys.exit(main())
