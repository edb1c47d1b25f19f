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
import collections
import functools
import hashlib
import json
import os
import re
import struct
import sys

HEADER_MAGIC = bytes.fromhex("894350534C0D0A1A")
BATCH_MAGIC = bytes.fromhex("CB4350534C62610A")
FIRST_BATCH = 8192

MAX_RAW = 4_194_304         # limits (12): a batch before compression
MAX_FRAMES = 65_535
MAX_INLINE = 262_144
MAX_BODY = 67_108_864       # hence a blob has at most 64 chunks
MAX_OBJECT = 1_048_576      # also the size of a chunk, without its salt

TIMELINE, OBJECTS = 1, 2                                                        # batch kinds (3)
EVENT, SNAPSHOT, CHUNK, MANIFEST, NOTE, DOCUMENT, FOREIGN_PROOF = range(1, 8)   # frame kinds (4)
FIRST_OPTIONAL_KIND = 128
OBJECT_NAMES = {SNAPSHOT: "snapshot", CHUNK: "chunk", MANIFEST: "manifest", NOTE: "note",
                DOCUMENT: "document", FOREIGN_PROOF: "foreign-proof"}
NO_BODY, INLINE, BLOB = 0, 1, 2                                                 # body kinds (5.1)
TRACE, KEY, TOKEN, SEAL = 1, 2, 4, 8                                            # flags of an envelope (5.2)

RUN_START, RUN_END, ACTOR, STAGE, NEW_SNAPSHOT = 1, 2, 3, 4, 5                  # event types (registry.md)
CAPSULE_CREATE, CAPSULE_CLOSE, CAPSULE_ADOPT = 64, 67, 68
ONLY_IN_RUN_ZERO = range(64, 69)
NEVER_IN_RUN_ZERO = (RUN_START, RUN_END, STAGE, NEW_SNAPSHOT)
EVENT_NAMES = {
    1: "run.start", 2: "run.end", 3: "actor", 4: "stage", 5: "snapshot", 6: "checkpoint",
    7: "policy.failure", 8: "policy.kept",
    16: "routing.decision", 17: "routing.settlement", 18: "model.call", 19: "retrieval.request",
    20: "retrieval.response", 21: "tool.call", 22: "tool.result", 23: "patch.applied",
    24: "gate.decision", 25: "gate.result", 26: "human.answer", 27: "error", 28: "budget.alert",
    29: "override", 30: "note", 64: "capsule.create", 65: "capsule.erase", 66: "capsule.salvage",
    67: "capsule.close", 68: "capsule.adopt"}
RUN_ZERO, ZERO_HASH = bytes(16), bytes(32)

# Codes of section 13 that end the reading because something was written wrong, or forged.
BROKEN = {"batch-malformed", "lz4-malformed", "frame-malformed", "envelope-malformed", "object-mismatch",
          "size-mismatch", "root-mismatch"}


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


class Table:
    """Fields at fixed offsets, as the specification prints them: their names, and their types in the
    notation of Python's `struct` (B, H, I, Q: u8, u16, u32, u64; q: i64; 16s: 16 bytes)."""

    def __init__(self, **fields):
        self.record = collections.namedtuple("Record", fields)
        self.struct = struct.Struct("<" + "".join(fields.values()))
        self.size = self.struct.size

    def read(self, source, at=0):
        """The caller has made sure that so many bytes are there."""
        return self.record._make(self.struct.unpack_from(source, at))


# --- Checksums and hashes (1) ----------------------------------------------------------------------------

def crc_of_byte(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)         # 0x1EDC6F41, reflected
    return value


CRC_OF_BYTE = [crc_of_byte(value) for value in range(256)]


def crc32c(data, before=0):
    """CRC32C of data; `before` is the CRC32C of whatever stands in front of it."""
    crc, table = before ^ 0xFFFFFFFF, CRC_OF_BYTE
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
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


# --- The file header (2.1) -------------------------------------------------------------------------------

FILE_HEADER = Table(
    magic="8s", read_version="H", write_version="H", suite="B", flags="B", origin_length="H", capsule_id="16s",
    generation="Q", created="q", reserved="8s", predecessor_size="Q", predecessor_root="32s",
    predecessor_length="H", reserved_2="2s", origin="256s", predecessor_origin="256s", reserved_3="3480s",
    checksum="I")


class FileHeader:
    """The header in force, or a CapsuleError. `damaged_copy` is 1 or 2 if that copy could not be used."""

    def __init__(self, data):
        copies = [data[:FILE_HEADER.size], data[FILE_HEADER.size:FIRST_BATCH]]
        require(any(copy.startswith(HEADER_MAGIC) for copy in copies), "not-a-capsule")
        intact = [self.is_intact(copy) for copy in copies]
        require(any(intact), "header-damaged")
        require(not all(intact) or copies[0] == copies[1], "headers-differ")
        self.damaged_copy = None if all(intact) else intact.index(False) + 1
        copy = copies[intact.index(True)]
        fields = FILE_HEADER.read(copy)
        require(fields.read_version <= 1, "newer-format")                  # before any other field
        require(fields.suite == 1, "unsupported")
        require(fields.read_version == 1 and fields.write_version >= 1 and fields.flags <= 1, "header-damaged")
        require(not any(fields.reserved + fields.reserved_2 + fields.reserved_3), "header-damaged")
        self.capsule_id, self.generation, self.created = fields.capsule_id, fields.generation, fields.created
        self.write_version, self.checksum = fields.write_version, fields.checksum
        self.origin = read_origin(fields.origin, fields.origin_length)
        self.predecessor = self.read_predecessor(fields)
        self.digest = sha256(copy[:32], bytes(8), copy[40:4092])           # 7.3: with the generation set to zero

    @staticmethod
    def is_intact(copy):
        return (len(copy) == FILE_HEADER.size and copy.startswith(HEADER_MAGIC)
                and crc32c(copy[:4092]) == FILE_HEADER.read(copy).checksum)

    @staticmethod
    def read_predecessor(fields):
        if fields.flags & 1:
            require(fields.predecessor_size > 0, "header-damaged")
            return {"origin": read_origin(fields.predecessor_origin, fields.predecessor_length),
                    "size": fields.predecessor_size, "root": fields.predecessor_root.hex()}
        absent = fields.predecessor_size == 0 and fields.predecessor_length == 0
        require(absent and not any(fields.predecessor_root + fields.predecessor_origin), "header-damaged")
        return None

    def seeded_crc(self, data, begin, length):
        """CRC32C of a part of the file, behind the seed that ties it to this capsule and place (3)."""
        seed = self.capsule_id + struct.pack("<QQ", self.generation, begin)
        return crc32c(data[begin:begin + length], crc32c(seed))


def read_origin(field, length):
    """UTF-8, padded with zeroes, without control characters, white space and plus signs."""
    require(1 <= length <= 255 and not any(field[length:]), "header-damaged")
    try:
        text = field[:length].decode("utf-8")
    except UnicodeDecodeError:
        raise CapsuleError("header-damaged") from None
    # Besides Unicode's White_Space, Python's isspace() holds only U+001C to U+001F, which are control characters.
    require(not any(c < " " or c in "\x7f+" or c.isspace() for c in text), "header-damaged")
    return text


# --- The batch header (3) --------------------------------------------------------------------------------
# The order of the checks is that of 9.1.

BATCH_HEADER = Table(
    magic="8s", kind="B", codec="B", cipher="B", reserved="B", frames="I", key_id="Q", features="Q", number="Q",
    durable="Q", tree_size="Q", root="32s", events="I", raw_length="I", stored_length="I", previous="I",
    body_checksum="I", reserved_2="16s", checksum="I")


def is_supported(header):                                                  # 9.1, step 4
    return (header.features == 0 and header.cipher == 0 and header.codec in (0, 1)
            and header.kind in (TIMELINE, OBJECTS))


def is_well_formed(header, at, durable_before):                            # 9.1, step 5
    right_for_kind = (header.events == header.frames if header.kind == TIMELINE
                      else header.events == 0 and header.codec == 0)
    right_stored = (header.stored_length == header.raw_length if header.codec == 0
                    else header.stored_length < header.raw_length)
    return (right_for_kind and right_stored and 8 <= header.raw_length <= MAX_RAW
            and 1 <= header.frames <= MAX_FRAMES and durable_before <= header.durable <= at
            and header.key_id == 0 and header.reserved == 0 and not any(header.reserved_2))


# --- Frames (4) ------------------------------------------------------------------------------------------

FRAME = Table(length="I", kind="B", flags="B", auxiliary="H")
Frame = collections.namedtuple("Frame", "kind flags auxiliary content")


def split_frames(body, header):
    """The frames of a body: as many as the header says, without a byte left over. Optional ones are skipped."""
    malformed = "frame-malformed"
    frames, at = [], 0
    for _ in range(header.frames):
        require(len(body) - at >= FRAME.size, malformed)
        length, kind, flags, auxiliary = FRAME.read(body, at)
        at += FRAME.size
        require(length <= len(body) - at, malformed)
        optional = header.kind == OBJECTS and kind >= FIRST_OPTIONAL_KIND
        require(optional or kind in ((EVENT,) if header.kind == TIMELINE else OBJECT_NAMES), malformed)
        if not optional:
            frames.append(Frame(kind, flags, auxiliary, body[at:at + length]))
        at += length
    require(at == len(body), malformed)
    return frames


# --- Events (5) ------------------------------------------------------------------------------------------

ENVELOPE = Table(
    version="B", flags="B", scheme="B", body_kind="B", type="H", media="H", causes="B", name_length="B",
    reserved="H", sequence="I", actor="I", stage="I", time="q", run="16s", snapshot="32s")

# Three labels or more, each of 1 to 63 characters, beginning with a letter.
TYPE_NAME = re.compile(rb"[a-z][a-z0-9_-]{0,62}(\.[a-z][a-z0-9_-]{0,62}){2,}")


class Event:
    def __init__(self, frame):
        require(frame.flags <= 1 and frame.auxiliary <= len(frame.content), "frame-malformed")
        envelope, rest = frame.content[:frame.auxiliary], frame.content[frame.auxiliary:]
        self.read_envelope(envelope)
        commitment = self.read_body(rest, withheld=frame.flags == 1)
        self.leaf_hash = sha256(b"\0", envelope, commitment)               # 5.3; the 00 is of RFC 6962

    def read_envelope(self, source):                                       # 5.2
        malformed = "envelope-malformed"
        require(len(source) >= ENVELOPE.size, malformed)
        fixed = ENVELOPE.read(source)
        require(fixed.version == 1 and fixed.flags <= 15 and fixed.reserved == 0, malformed)
        require(fixed.body_kind <= BLOB and fixed.causes <= 8 and fixed.name_length <= 128, malformed)
        require(fixed.scheme == (0 if fixed.body_kind == NO_BODY else 1), malformed)
        require((fixed.media == 0) == (fixed.body_kind == NO_BODY), malformed)
        require((fixed.type == 0) == (fixed.name_length > 0), malformed)
        require(fixed.type == RUN_START or not fixed.flags & TOKEN, malformed)
        require((fixed.type == RUN_END) == bool(fixed.flags & SEAL), malformed)
        parts, at = [], ENVELOPE.size
        for size in (20 * fixed.causes, 25 if fixed.flags & TRACE else 0, 16 if fixed.flags & KEY else 0,
                     16 if fixed.flags & TOKEN else 0, 33 if fixed.flags & SEAL else 0, fixed.name_length):
            parts.append(bytes(source[at:at + size]))                      # in this order; an absent part is empty
            at += size
        require(at == len(source), malformed)
        causes, self.trace, self.key, self.token, self.seal, name = parts
        require(not name or TYPE_NAME.fullmatch(name), malformed)
        self.type_name = name.decode("ascii") or EVENT_NAMES.get(fixed.type, "#%d" % fixed.type)
        self.causes = list(struct.iter_unpack("<16sI", causes))
        self.type, self.body_kind, self.media, self.time = fixed.type, fixed.body_kind, fixed.media, fixed.time
        self.run, self.sequence, self.snapshot = fixed.run, fixed.sequence, fixed.snapshot
        self.actor, self.stage = fixed.actor, fixed.stage

    def read_body(self, rest, withheld):                                   # 5.1; returns the commitment (5.3)
        self.withheld, self.body = withheld, rest[16:]
        if self.body_kind == NO_BODY:
            require(not withheld and len(rest) == 0, "frame-malformed")
            return ZERO_HASH
        if withheld:
            require(len(rest) == 32, "frame-malformed")
            return rest
        right = len(rest) == 16 + 40 if self.body_kind == BLOB else 16 <= len(rest) <= 16 + MAX_INLINE
        require(right, "frame-malformed")
        return sha256(rest)                                                # salt and body, as they stand here

    def blob_reference(self):
        """The blob ID and length, or None if the body is not a blob that should be here."""
        return struct.unpack("<32sQ", self.body) if self.body_kind == BLOB and not self.withheld else None


# --- Objects (6.1) ---------------------------------------------------------------------------------------

OBJECT = Table(length="I", codec="B", reserved="3s", id="32s")
BLOB_MANIFEST = Table(salt="16s", length="Q", count="I")
ID_PREFIX = {CHUNK: b"\2", MANIFEST: b"\3"}
LARGEST = {CHUNK: 16 + MAX_OBJECT, MANIFEST: BLOB_MANIFEST.size + 32 * (MAX_BODY // MAX_OBJECT)}


class StoredObject:
    """An object frame, taken apart. `content()` is the object itself, whose ID is checked here, at once."""

    def __init__(self, frame):
        malformed = "frame-malformed"
        require(frame.flags == 0 and (frame.auxiliary == 0 or frame.kind == DOCUMENT), malformed)
        require(len(frame.content) >= OBJECT.size, malformed)
        self.length, self.codec, reserved, self.id = OBJECT.read(frame.content)
        self.kind, self.media, self.stored = frame.kind, frame.auxiliary, frame.content[OBJECT.size:]
        require(not any(reserved), malformed)
        require(self.codec in (0, 1), "unsupported")
        right_stored = len(self.stored) == self.length if self.codec == 0 else len(self.stored) < self.length
        require(right_stored, malformed)
        require(self.length <= LARGEST.get(self.kind, MAX_OBJECT),
                "object-mismatch" if self.kind == MANIFEST else malformed)
        require(sha256(ID_PREFIX.get(self.kind, b""), self.content()) == self.id, "object-mismatch")

    @functools.lru_cache(maxsize=64)          # at most 64 MiB: many blobs may name the same compressed chunks
    def content(self):
        return decompress(self.codec, self.stored, self.length)


class ObjectStore:
    """What events may refer to: the objects that have been read so far."""

    def __init__(self):
        self.snapshots, self.chunks, self.blobs, self.digests = set(), {}, {}, {}

    def add(self, frame):
        item = StoredObject(frame)
        if item.kind == SNAPSHOT:
            self.snapshots.add(item.id)
        elif item.kind == CHUNK:
            require(item.length > 16, "object-mismatch")
            self.chunks[item.id] = item, bytes(item.content()[:16])
        elif item.kind == MANIFEST:
            self.add_manifest(item)
        return item

    def add_manifest(self, item):
        """Every chunk stands in the file before it, has the salt of the manifest, and the right length."""
        mismatch, content = "object-mismatch", item.content()
        require(len(content) >= BLOB_MANIFEST.size, mismatch)
        manifest = BLOB_MANIFEST.read(content)
        require(1 <= manifest.length <= MAX_BODY, mismatch)
        require(manifest.count == (manifest.length + MAX_OBJECT - 1) // MAX_OBJECT, mismatch)
        require(len(content) == BLOB_MANIFEST.size + 32 * manifest.count, mismatch)
        chunks, left = [], manifest.length
        for (chunk_id,) in struct.iter_unpack("32s", content[BLOB_MANIFEST.size:]):
            chunk, salt = self.chunks.get(chunk_id, (None, None))
            require(salt == manifest.salt and chunk.length == 16 + min(left, MAX_OBJECT), mismatch)
            chunks.append(chunk)
            left -= MAX_OBJECT
        self.blobs[item.id] = (manifest.length, chunks)

    def blob_digest(self, reference):
        """SHA-256 of a blob's content, or None if it is not in the file so far, or has another length."""
        blob_id, length = reference
        if blob_id not in self.blobs or self.blobs[blob_id][0] != length:
            return None
        if blob_id not in self.digests:
            self.digests[blob_id] = sha256(*(chunk.content()[16:] for chunk in self.blobs[blob_id][1]))
        return self.digests[blob_id]


def note_agrees(content, origin, roots):
    """A checkpoint note says three lines: origin, size, root. `roots` are those of earlier batches, by size."""
    match = re.match(rb"([^\n]*)\n(0|[1-9][0-9]{0,19})\n([^\n]*)\n", content)
    root = roots.get(int(match[2])) if match else None
    return root is not None and match[1] == origin.encode("utf-8") and match[3] == base64.b64encode(root)


# --- LZ4 (6.2) -------------------------------------------------------------------------------------------

def decompress(codec, stored, raw_length):
    return stored if codec == 0 else lz4_frame(stored, raw_length)


def lz4_frame(source, raw_length):
    """Decompress exactly one LZ4 frame, which must give exactly raw_length bytes."""
    malformed = "lz4-malformed"
    require(len(source) >= 19 and source[:4] == b"\x04\x22\x4D\x18", malformed)
    flags, block_code = source[4], source[5]
    require(flags & 0xDF == 0x48, malformed)              # 0x20 is free: independent blocks
    require(block_code & 0x8F == 0 and block_code >> 4 >= 4, malformed)
    require(struct.unpack_from("<Q", source, 6)[0] == raw_length, malformed)
    require(source[14] == xxh32_short(source[4:14]) >> 8 & 255, malformed)
    largest_block = 1 << 8 + 2 * (block_code >> 4)        # 4: 64 KiB ... 7: 4 MiB
    out, at = bytearray(), 15
    while True:
        require(len(source) - at >= 4, malformed)
        size = struct.unpack_from("<I", source, at)[0]
        at += 4
        if size == 0:                                     # the end mark
            break
        is_stored, size = size >> 31, size & 0x7FFFFFFF
        require(size <= largest_block and size <= len(source) - at, malformed)
        block, limit = source[at:at + size], min(raw_length, len(out) + largest_block)
        if is_stored:
            require(len(out) + size <= limit, malformed)
            out += block
        else:
            lz4_block(block, out, len(out) if flags & 0x20 else 0, limit)
        at += size
    require(at == len(source) and len(out) == raw_length, malformed)
    return bytes(out)


def lz4_block(source, out, window, limit):
    """Append one block to out. Matches reach back to out[window] at most; out never grows beyond limit."""
    malformed = "lz4-malformed"
    at, end = 0, len(source)
    while True:
        require(at < end, malformed)                      # a block ends after literals, never after a match
        token = source[at]
        literals, at = lz4_length(source, at + 1, token >> 4)
        require(literals <= end - at and len(out) + literals <= limit, malformed)
        out += source[at:at + literals]
        at += literals
        if at == end:
            return
        require(end - at >= 2, malformed)
        distance = source[at] | source[at + 1] << 8
        length, at = lz4_length(source, at + 2, token & 15)
        length += 4
        start = len(out) - distance
        require(distance > 0 and start >= window and len(out) + length <= limit, malformed)
        if distance >= length:
            out += out[start:start + length]
        else:                                             # the match overlaps itself: a repeated pattern
            out += (out[start:] * (length // distance + 1))[:length]


def lz4_length(source, at, length):
    """A length of 15 goes on in further bytes, to the first that is not 255."""
    if length == 15:
        more = 255
        while more == 255:
            require(at < len(source), "lz4-malformed")
            more = source[at]
            length += more
            at += 1
    return length, at


# --- The tree (7.1) --------------------------------------------------------------------------------------

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
        return functools.reduce(lambda right, left: sha256(b"\1", left, right), reversed(self.roots))


# --- Rules of a run (8) ----------------------------------------------------------------------------------

class Run:
    def __init__(self):
        self.next_sequence, self.snapshot, self.stage, self.ended = 0, None, 0, False
        self.sequences, self.actors, self.keys, self.tree = set(), set(), set(), Tree()


class Rules:
    """Judges events in file order. After a broken rule it goes on with what stands in the event."""

    def __init__(self, snapshots):
        self.snapshots, self.runs, self.run_names = snapshots, {}, set()
        self.first, self.closed, self.header_digest = True, False, None

    def judge(self, event):
        """The codes of the rules that this event breaks, in the order of section 13."""
        run = self.runs.get(event.run) or Run()
        right = {"run-sequence": self.sequence_is_right(event, run) and self.type_is_right(event),
                 "run-snapshot": self.snapshot_is_right(event, run),
                 "run-actor": self.actor_is_right(event, run),
                 "run-stage": event.stage == (event.sequence if event.type == STAGE else run.stage),
                 "run-cause": all(self.cause_is_right(event, *cause) for cause in event.causes),
                 "run-seal": self.seal_is_right(event, run),
                 "run-key": self.key_is_right(event, run)}
        self.remember(event, run)
        return [code for code in right if not right[code]]

    def sequence_is_right(self, event, run):                               # rule 1, and the first half of rule 2
        first_type = CAPSULE_CREATE if event.run == RUN_ZERO else RUN_START
        return event.sequence == run.next_sequence and (event.sequence == 0) == (event.type == first_type)

    def type_is_right(self, event):                                        # the rest of rule 2, with 7.3
        if self.closed or self.first != (event.type == CAPSULE_CREATE):
            return False
        return event.type not in (NEVER_IN_RUN_ZERO if event.run == RUN_ZERO else ONLY_IN_RUN_ZERO)

    def snapshot_is_right(self, event, run):                               # rules 3 and 4
        if event.run == RUN_ZERO:             # whether a header digest agrees is judged at the end of the file
            return event.snapshot == ZERO_HASH or event.type in (CAPSULE_CREATE, CAPSULE_ADOPT)
        goes_on = event.type == NEW_SNAPSHOT or run.snapshot in (None, event.snapshot)
        return goes_on and event.snapshot in self.snapshots

    def actor_is_right(self, event, run):                                  # rule 5
        if event.type == ACTOR:
            return event.actor == event.sequence
        return event.actor == 0 or event.actor in run.actors

    def cause_is_right(self, event, run, sequence):                        # rule 7
        if run not in self.runs:
            return run != event.run
        return sequence in self.runs[run].sequences

    def seal_is_right(self, event, run):                                   # rule 8
        return not run.ended and (event.type != RUN_END or event.seal[1:] == run.tree.root())

    def key_is_right(self, event, run):                                    # rule 9
        return event.key not in run.keys and not (event.type == RUN_START and event.key in self.run_names)

    def remember(self, event, run):
        self.runs[event.run] = run
        run.next_sequence = event.sequence + 1
        run.sequences.add(event.sequence)
        run.tree.append(event.leaf_hash)
        run.snapshot = event.snapshot
        if event.type == STAGE:
            run.stage = event.sequence
        if event.type == ACTOR:
            run.actors.add(event.sequence)
        if event.key:
            run.keys.add(event.key)
            if event.type == RUN_START:
                self.run_names.add(event.key)
        if event.run == RUN_ZERO and event.type in (CAPSULE_CREATE, CAPSULE_ADOPT):
            self.header_digest = event.snapshot
        run.ended = run.ended or event.type == RUN_END
        self.closed = self.closed or event.type == CAPSULE_CLOSE
        self.first = False


# --- Reading (9) -----------------------------------------------------------------------------------------

class Reader:
    """Reads one capsule. `durable` is what the note beside it says (11), or 0."""

    def __init__(self, data, header, durable=0):
        self.data, self.view, self.header, self.durable = data, memoryview(data), header, durable
        self.zeroes_from = len(data.rstrip(b"\0"))
        self.at, self.batches, self.previous = FIRST_BATCH, 0, None        # `at` is the X of section 9
        self.tree, self.roots = Tree(), {}                # roots: tree size of each batch, and its root
        self.store = ObjectStore()
        self.rules = Rules(self.store.snapshots)
        self.events, self.objects, self.findings, self.error = [], [], [], None

    def read(self):
        try:
            while self.at < self.zeroes_from:                              # step 1
                self.read_batch()
            self.error = self.judge_end()
        except BadBatch:
            self.error = self.judge_bad_batch()
        except CapsuleError as error:
            self.error = error.code
        if self.rules.header_digest not in (None, self.header.digest):
            self.add_finding("header-mismatch")

    def read_batch(self):
        """All or nothing: what is reported changes only after every check has passed."""
        header = self.read_batch_header()
        begin, end = self.at + BATCH_HEADER.size, self.at + BATCH_HEADER.size + header.stored_length
        if end > len(self.data):                                           # step 6
            raise BadBatch
        if header.body_checksum != self.header.seeded_crc(self.view, begin, header.stored_length):
            raise BadBatch
        body = decompress(header.codec, self.view[begin:end], header.raw_length)           # step 7
        frames = split_frames(memoryview(body), header)
        if header.kind == TIMELINE:
            items, report = [Event(frame) for frame in frames], self.report_event
            for event in items:
                self.tree.append(event.leaf_hash)
        else:
            items, report = [self.store.add(frame) for frame in frames], self.report_object
        require(header.tree_size == self.tree.size, "size-mismatch")
        require(header.root == self.tree.root(), "root-mismatch")
        for item in items:
            report(item)
        self.roots[header.tree_size] = header.root
        self.previous, self.at, self.batches = header, end, self.batches + 1

    def read_batch_header(self):
        if len(self.data) - self.at < BATCH_HEADER.size:                   # step 2
            raise BadBatch
        header = BATCH_HEADER.read(self.data, self.at)
        if not self.has_right_checksum(header, self.at):
            raise BadBatch
        before = self.previous                                             # step 3
        if header.number != self.batches or header.previous != (before or self.header).checksum:
            raise BadBatch
        require(is_supported(header), "unsupported")                       # step 4
        durable_before = before.durable if before else FIRST_BATCH
        require(is_well_formed(header, self.at, durable_before), "batch-malformed")        # step 5
        return header

    def has_right_checksum(self, header, at):
        return header.magic == BATCH_MAGIC and header.checksum == self.header.seeded_crc(self.view, at, 124)

    # 9.2: torn or damaged

    def judge_end(self):
        """No bad batch. Even so, the file may have been longer."""
        if self.batches == 0 or self.durable > len(self.data):
            return "cut-short"
        return "damaged" if self.durable > self.at else None

    def judge_bad_batch(self):
        if self.durable > len(self.data):
            return "cut-short"
        damaged = self.durable > self.at or self.batches == 0 or self.durable_header_follows()
        return "damaged" if damaged else "torn-tail"

    def durable_header_follows(self):
        """Is there, after X, the header of a batch that was made when X was known to be synced?"""
        at = self.data.find(BATCH_MAGIC, self.at + 1)
        while 0 <= at <= len(self.data) - BATCH_HEADER.size:
            header = BATCH_HEADER.read(self.data, at)
            if (header.number >= self.batches and self.at < header.durable <= at
                    and self.has_right_checksum(header, at)):
                return True
            at = self.data.find(BATCH_MAGIC, at + 1)
        return False

    # What is reported (vectors/README.md)

    def add_finding(self, code, run=None, sequence=None):
        self.findings.append({"code": code, "run": run, "sequence": sequence})

    def report_event(self, event):
        described = describe_event(event, len(self.events), self.store)
        self.events.append(described)
        for code in self.rules.judge(event):
            self.add_finding(code, described["run"], event.sequence)
        if event.blob_reference() and described["body"]["sha256"] is None:
            self.add_finding("blob-missing", described["run"], event.sequence)

    def report_object(self, item):
        self.objects.append({"kind": OBJECT_NAMES[item.kind], "id": item.id.hex(), "length": item.length,
                             "media": item.media})
        if item.kind == NOTE and not note_agrees(item.content(), self.header.origin, self.roots):
            self.add_finding("note-mismatch")


# --- The note beside the capsule (11) --------------------------------------------------------------------

def durable_length(note, header):
    """What its first line says; 0 if it is malformed or about another capsule."""
    match = re.match(rb"capsule-note-1 ([0-9a-f]{32}) ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{8})\n", note)
    if not match or int(match[4], 16) != crc32c(note[:82]):
        return 0
    if match[1].decode() != header.capsule_id.hex() or int(match[2], 16) != header.generation:
        return 0
    return int(match[3], 16)


# --- What is printed (vectors/README.md) -----------------------------------------------------------------

def read_capsule(data, note=b""):
    """The description of a capsule, as in vectors/README.md. `note` is the content of the note beside it."""
    try:
        header = FileHeader(data)
    except CapsuleError as error:
        return {"status": "refused", "error": {"code": error.code, "offset": 0}, "damaged_header_copy": None}
    reader = Reader(data, header, durable_length(note, header))
    reader.read()
    return {
        "status": status(reader.error, reader.findings),
        "error": reader.error and {"code": reader.error, "offset": reader.at},
        "damaged_header_copy": header.damaged_copy, "capsule_id": header.capsule_id.hex(),
        "origin": header.origin, "generation": header.generation, "created": header.created,
        "write_version": header.write_version, "predecessor": header.predecessor,
        "end": reader.at, "batches": reader.batches, "tree_size": len(reader.events),
        "root": (reader.previous.root if reader.previous else sha256()).hex(),
        "events": reader.events, "objects": reader.objects, "findings": reader.findings}


def status(error, findings):
    if error in ("unsupported", "damaged", "cut-short"):
        return "refused" if error == "unsupported" else "damaged"
    return "broken" if error in BROKEN or findings else error or "ok"      # the error left is "torn-tail"


def describe_event(event, index, store):
    return {
        "index": index, "run": event.run.hex(), "sequence": event.sequence, "type": event.type_name,
        "time": event.time, "snapshot": event.snapshot.hex(), "actor": event.actor, "stage": event.stage,
        "causes": [{"run": run.hex(), "sequence": sequence} for run, sequence in event.causes],
        "key": event.key.hex() or None, "trace": event.trace.hex() or None, "token": event.token.hex() or None,
        "seal": {"outcome": event.seal[0], "root": event.seal[1:].hex()} if event.seal else None,
        "media": event.media, "body": describe_body(event, store), "leaf_hash": event.leaf_hash.hex()}


def describe_body(event, store):
    if event.withheld or event.body_kind == NO_BODY:
        return {"kind": "withheld" if event.withheld else "none", "length": 0, "sha256": None}
    if event.body_kind == INLINE:
        return {"kind": "inline", "length": len(event.body), "sha256": sha256(event.body).hex()}
    reference = event.blob_reference()
    digest = store.blob_digest(reference)
    return {"kind": "blob", "length": reference[1], "sha256": digest and digest.hex()}


# --- The command -----------------------------------------------------------------------------------------

def load(path):
    with open(path, "rb") as file:
        return file.read()


def flat(value, path=""):
    """Every value in a JSON value that holds no others, written as JSON, by its path."""
    if not value or not isinstance(value, (dict, list)):
        return {path: json.dumps(value)}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {place: text for key, item in items for place, text in flat(item, "%s/%s" % (path, key)).items()}


def check_vector(directory, name):
    """None if the vector is read as its JSON says, else a sentence."""
    base = os.path.join(directory, name)
    try:
        expected = json.loads(load(base + ".json").decode("utf-8"))
        if not isinstance(expected, dict):
            return "the JSON is not an object"
        expected.pop("description", None)
        beside = expected.pop("note", None)
        note = load(os.path.join(directory, os.path.basename(str(beside)))) if beside else b""
        expected, found = flat(expected), flat(read_capsule(load(base + ".cpsl"), note))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    for path in list(expected) + list(found):
        one, other = expected.get(path, "nothing"), found.get(path, "nothing")
        if one != other:
            return "%s: expected %s, found %s" % (path, one, other)
    return None


def check_directory(directory):
    names = sorted({os.path.splitext(name)[0] for name in os.listdir(directory)
                    if name.endswith((".cpsl", ".json"))})
    problems = {name: check_vector(directory, name) for name in names}
    failed = [name for name in names if problems[name]]
    for name in failed:
        print("%s: %s" % (name, problems[name]))
    print("%d passed, %d failed" % (len(names) - len(failed), len(failed)))
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
