"""Whether a recording is all there: what its header, its last page or its boxes name against the bytes of the file.

Nothing is decoded. Formats without such marks are taken for whole; FLAC is found out when it is decoded.
"""

from earmark.audio.formats import chunks, mp3, ogg
from earmark.audio.source import Source, untrusted
from earmark.audio.view import bytes_at, length
from earmark.errors import AudioError


def require_whole(source: Source) -> None:
    """A length that a recorder left open (0, all ones, the largest number) is no sign of a cut.

    :raises AudioError: the recording was cut short.
    """
    if source.is_headerless:
        return
    with untrusted(source, "cannot be read"), source.stream() as stream:
        size = length(stream)
        head = bytes_at(stream, 0, 4)
        if head == b"fLaC":
            return
        if head == b"OggS":
            fault = "" if all(link.whole for link in ogg.links(stream, size)) else "its last page is not there"
        elif head[:3] == b"ID3" or mp3.frame(head):
            fault = "its header names more frames" if mp3.lacking(stream, size) else ""
        else:
            found = chunks.extent(stream, size)
            missing = found.missing(size) if found else chunks.chunk_lacking(stream, size)
            fault = f"its header names {missing} bytes more" if missing else ""
    if fault:
        raise AudioError(f"{source} is cut short, {fault}: replace it or leave it out")
