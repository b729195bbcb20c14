"""What lies on disk: written whole or not at all, by one process at a time, and marked with the run that it is of."""

from symjax.training.files.disk import (
    append_bytes as append_bytes,
    flush_all as flush_all,
    read_bytes as read_bytes,
    require_another as require_another,
    require_folder as require_folder,
    require_new as require_new,
    write_bytes as write_bytes,
)
from symjax.training.files.files import (
    damaged as damaged,
    decode as decode,
    parse_json as parse_json,
    read_json as read_json,
    write_json as write_json,
)
from symjax.training.files.identity import (
    OtherModelError as OtherModelError,
    digest_json as digest_json,
    name_of as name_of,
    require_same_identity as require_same_identity,
    seal as seal,
)
from symjax.training.files.lock import written_alone as written_alone
