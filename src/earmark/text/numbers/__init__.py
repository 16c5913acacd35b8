"""Digits, signs and abbreviations become words: rules for what is common, WeTextProcessing for the rest.

- `stretches`: a text in stretches of one language, each read by its rules
- Chinese: `chinese_numbers` (a chunk), `chinese_dates`, `chinese_sums`, `chinese_signs`,
  `chinese_context` (what a bare number is), `chinese_words` (words of numbers and units)
- English: `english_numbers` (a chunk), `english_dates`, `english_signs`, `english_units`, `english_abbreviations`,
  `english_roman`, `english_words`
- `wetext`: the library; `deviations`: where the rules read otherwise than it does, on purpose
"""
