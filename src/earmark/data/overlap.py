"""Rows in shards that training leaves out: duplicates, and whatever a test set has heard.

The rules, the first that applies to a row:

    duplicate id              the id came before, over all corpora
    audio of a test set       outside the test sets, and a test set of any corpus has the same audio
    speaker of a test set     in training, and a test set of the same corpus has the speaker
    duplicate audio           outside the test sets, and the same audio came before

"Before" is the order test sets, validation, training, and within each that of corpora, parts, shards and rows. A test
set stays whole, since its published size is part of what a score means: of its rows only those go whose id *and* audio
came before. The same audio is the same samples at 16 kHz before silence is trimmed (`audio_hash`); a copy in another
coding, or cut elsewhere, is not found. The speaker rule is off for corpora with `shared_speakers`; validation may share
speakers with tests, as nothing is learned from it.

Shards are not touched: who is left out is decided afresh whenever the dataset is collected.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from earmark.data.steps import Steps

DUPLICATE_ID = "duplicate id"
TEST_AUDIO = "audio of a test set"
TEST_SPEAKER = "speaker of a test set"
DUPLICATE_AUDIO = "duplicate audio"

# `place` orders all rows: test sets, validation, training; then shard and row.
_ROWS = """
CREATE OR REPLACE VIEW placed AS SELECT *,
    split NOT IN ('train', 'valid') AS tested,
    CASE split WHEN 'train' THEN 2 WHEN 'valid' THEN 1 ELSE 0 END * (1::BIGINT << 56)
        + shard_number::BIGINT * (1::BIGINT << 32) + row AS place
FROM rows
"""
# Ids are compared by hash first: text of all of them would not fit in memory.
_SAME_ID = """
WITH alike AS (SELECT hash(id) AS key FROM placed GROUP BY ALL HAVING count(*) > 1),
     candidates AS (SELECT id, place, tested, audio_hash FROM placed WHERE hash(id) IN (SELECT key FROM alike)),
     firsts AS (SELECT id, min(place) AS place FROM candidates GROUP BY id HAVING count(*) > 1)
SELECT one.place FROM candidates one JOIN firsts first USING (id)
WHERE one.place <> first.place AND (NOT one.tested OR EXISTS (
    FROM candidates other WHERE other.id = one.id AND other.audio_hash = one.audio_hash AND other.place < one.place))
"""
_TEST_AUDIO = """
SELECT place FROM placed WHERE NOT tested AND audio_hash IN (SELECT audio_hash FROM placed WHERE tested)
"""
_TEST_SPEAKER = """
WITH heard AS (SELECT DISTINCT corpus, speaker FROM placed
               WHERE tested AND speaker <> '' AND corpus NOT IN (SELECT corpus FROM sharing))
SELECT place FROM placed SEMI JOIN heard USING (corpus, speaker) WHERE split = 'train'
"""
# Of equal recordings the first that nothing else rules out is kept.
_SAME_AUDIO = """
WITH alike AS (SELECT audio_hash FROM placed WHERE NOT tested GROUP BY ALL HAVING count(*) > 1),
     candidates AS (SELECT audio_hash, place FROM placed
                    WHERE NOT tested AND audio_hash IN (SELECT audio_hash FROM alike)
                    AND place NOT IN (SELECT place FROM same_id)
                    AND place NOT IN (SELECT place FROM test_audio)
                    AND place NOT IN (SELECT place FROM test_speaker)),
     firsts AS (SELECT audio_hash, min(place) AS place FROM candidates GROUP BY ALL)
SELECT one.place FROM candidates one JOIN firsts first USING (audio_hash) WHERE one.place <> first.place
"""
_EXCLUDED = f"""
WITH reasons AS (SELECT place, min(rank) AS rank FROM (
    SELECT place, 1 AS rank FROM same_id UNION ALL SELECT place, 2 FROM test_audio
    UNION ALL SELECT place, 3 FROM test_speaker UNION ALL SELECT place, 4 FROM same_audio) GROUP BY place)
SELECT id, corpus, ['{DUPLICATE_ID}', '{TEST_AUDIO}', '{TEST_SPEAKER}', '{DUPLICATE_AUDIO}'][rank] AS status,
       shard_number, row
FROM placed JOIN reasons USING (place)
"""


STATEMENTS = {
    "same_id": _SAME_ID,
    "test_audio": _TEST_AUDIO,
    "test_speaker": _TEST_SPEAKER,
    "same_audio": _SAME_AUDIO,
    "excluded": _EXCLUDED,
}
"""Query of each table, in the order in which they are made."""


def find(steps: "Steps", sharing: Iterable[str]) -> None:
    """Make the table `excluded` (id, corpus, status, shard_number, row) out of the table `rows`.

    `rows` has the columns of the shard indexes and `shard_number`, counted over all corpora in their order.

    :param sharing: corpora whose test sets share speakers with training.
    """
    steps.connection.execute(_ROWS)
    steps.make("sharing", "SELECT unnest(?::VARCHAR[]) AS corpus", list(sharing))
    for name, query in STATEMENTS.items():
        steps.make(name, query)
