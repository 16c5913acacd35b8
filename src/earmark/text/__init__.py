"""From raw transcripts to normalised text and phoneme labels.

- `normalise`: one spelling for every text; it leans on `marks` (what is not heard), `simplified`, and the rules of
  `numbers/` (digits and signs become words)
- `phonemes`: from normalised text to labels; by language `mandarin` (`segment` into words, `readings` of words,
  `contexts` of single characters, `sandhi`, `syllables`), `cantonese` and `english`
- `alternatives`: readings that a text leaves open
- `lexicon`: a user's own pronunciations; `inventory`: the symbols that labels are made of; `characters`: the other kind
"""
