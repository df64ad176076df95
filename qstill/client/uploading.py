"""Files on their way to the service: small ones in one request, large ones in parts that are sent again one by one."""

from qstill.client.calls import UPLOAD_SECONDS, Call, Plan, get, read, to
from qstill.client.contents import Content, Part
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.answers.pages import Page
from qstill.contract.answers.uploads import PartView, UploadView, part_size

LOOKED_THROUGH = 100  # uploads that were begun before
BYTES = {"Content-Type": "application/octet-stream"}


def uploaded(content: Content, purpose: Purpose | str) -> Plan[FileView]:
    if content.sha256 is None:
        params = {"purpose": str(purpose), "name": content.name}
        whole = Part(content, 0, content.size)
        call = Call(
            method="POST", path="/v1/files", params=params, headers=BYTES, content=whole, silence=UPLOAD_SECONDS
        )
        return (yield from read(FileView, call))
    upload = yield from _begun(content, Purpose(purpose))
    while upload.missing:  # of very many parts the service names the first
        for number in upload.missing:
            yield from _sent(content, upload, number)
        upload = yield from read(UploadView, get(f"/v1/uploads/{upload.id}"))
    return (yield from read(FileView, to(f"/v1/uploads/{upload.id}/complete", silence=UPLOAD_SECONDS)))


def _begun(content: Content, purpose: Purpose) -> Plan[UploadView]:
    """The upload of the same file that was broken off before, or a new one."""
    known = yield from read(Page[UploadView], get("/v1/uploads", limit=LOOKED_THROUGH))
    wanted = ("open", purpose, content.name, content.sha256)
    for each in known.data:
        if (each.status, each.purpose, each.name, each.sha256) == wanted:
            return (yield from read(UploadView, get(f"/v1/uploads/{each.id}")))
    new = {"purpose": purpose, "name": content.name, "bytes": content.size, "sha256": content.sha256}
    return (yield from read(UploadView, to("/v1/uploads", new, repeatable=False)))


def _sent(content: Content, upload: UploadView, number: int) -> Plan[PartView]:
    start = (number - 1) * upload.part_bytes
    part = Part(content, start, part_size(upload.bytes, upload.part_bytes, number))
    path = f"/v1/uploads/{upload.id}/parts/{number}"
    call = Call(method="PUT", path=path, headers=BYTES, content=part, silence=UPLOAD_SECONDS)
    return (yield from read(PartView, call))
