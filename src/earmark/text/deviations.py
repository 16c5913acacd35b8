"""Where the normaliser reads otherwise than WeTextProcessing 1.2.0 on purpose: each with a case.

Agreement with it is measured on texts outside this list (`bench/labels.py`). Code-switching (zh-en) is compared with
its Chinese rules.
"""

import re
import unicodedata
from typing import NamedTuple

from earmark.text.chinese_words import MEASURES

_LACKED = "".join(
    sorted(MEASURES & set("份例倍公包卷句台处小届幅平年所批排摄星朵栋次款步毛滴点礼种站笔类股角起遍部门间项顿"))
)
_SHARED = "".join(sorted(MEASURES - set(_LACKED)))
_NAMED = "丈丝刀单合堂季客寸寻常手日管线脚贯身辈针钱"
_MONTHS = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)


class Deviation(NamedTuple):
    """One kind of difference, with an example."""

    language: str
    """zh (also for zh-en), or en."""
    pattern: str
    """Texts that it may concern, after NFKC."""
    example: str
    theirs: str
    """WeTextProcessing's reading of the example, in canonical spelling."""
    ours: str
    why: str


DEVIATIONS = (
    Deviation("zh", rf"(?<![\d.])2(?=[{_NAMED}])", "12月2日", "十二月两日", "十二月二日", "2 names a thing: 二"),
    Deviation("zh", rf"第2(?=[{''.join(sorted(MEASURES))}])", "第2名", "第两名", "第二名", "an ordinal takes 二"),
    Deviation("zh", rf"(?<![\d.])2(?=[{_LACKED}])", "2次", "二次", "两次", "measure words that its list lacks"),
    Deviation("zh", r"(?<![\d.])2(?=至\d)", "2至3个", "二至三个", "两至三个", "2 before 至 is counted too"),
    Deviation("zh", r"[$€£¥]2(?!\d)", "¥2", "二元", "两元", "2 before a currency is counted too"),
    Deviation("zh", r"\d{3,4}-\d{3,4}-\d{4}|0\d{2,3}-\d{7,8}", "010-12345678", "零一零一二三四五六七八",
              "零幺零幺二三四五六七八", "1 is 幺 in telephone numbers, as in those without hyphens"),
    Deviation("zh", r"1[3-9]\d \d{4} \d{4}", "138 0013 8000", "一百三十八零零十三八千", "幺三八零零幺三八零零零",
              "a telephone number in groups"),
    Deviation("zh", r"\d{13,}", "123456789012345", "幺二三四五六十七亿八千九百零一万二千三百四十五",
              "幺二三四五六七八九零幺二三四五",
              "long numbers are names: digit by digit"),
    Deviation("zh", r"(?:号|号码|密码|代码|编码|邮编|验证码)[是为:]?\d{4,}", "密码123456", "密码十二万三千四百五十六",
              "密码幺二三四五六", "numbers of accounts and orders are names: digit by digit"),
    Deviation("zh", r"\d{3,4}(?:室|房|宿舍|教室)", "301房间", "三百零一房间", "三零幺房间", "rooms are digit by digit"),
    Deviation("zh", rf"(?<!\d)(?:111|1[12]\d|10000|10010|10086|12\d{{3}}|9\d{{4}})[号路{_LACKED}]|(?<!\d)111(?!\d)",
              "114路", "幺幺四路", "一百一十四路", "what is counted, and bus lines, are no hotlines"),
    Deviation("zh", r"\d[-~]\d+(?:\.\d+)?%|%[-~]\d", "5%-10%", "百分之五百分之负十", "百分之五到百分之十",
              "ranges of percentages"),
    Deviation("zh", rf"(?<![\d-])\d[\d.]*[-~]\d[\d.]*(?![\d.{_SHARED}-])", "3-5年", "三减五年", "三到五年",
              "ranges without a unit, or with one that its list lacks"),
    Deviation("zh", r"-\d[\d.]*%", "-5%", "百分之负五", "负百分之五", "the sign is spoken first"),
    Deviation("zh", r"‰", "1.5‰", "一点五", "千分之一点五", "per mille is left out"),
    Deviation("zh", r"\d,\d{3}", "1,000", "一零零零", "一千", "thousands separators without a unit"),
    Deviation("zh", r"[$€£¥][\d.,]+[十百千]?[百千万亿]", "$100万", "十美元零万", "一百万美元",
              "the currency goes behind 万"),
    Deviation("zh", r"(?<![\d.])(?:0[1-9]|1[0-2])\.(?:0?[1-9]|[12]\d|3[01])(?![\d.])", "10.1", "十月一日", "十点一",
              "a decimal is no day"),
    Deviation("zh", r"(?<!\d)[12]\d{3}\.(?:0[1-9]|1[0-2])(?!\d)", "2019.10", "二零一九年十月", "两千零一十九点一零",
              "a decimal is no month"),
    Deviation("zh", r"(?<!\d)0:[0-5]\d", "0:30", "零比三十", "零点三十分", "the hour after midnight"),
    Deviation("zh", r"(?<!\d)0\d月|月0\d", "05月01日", "零五月零一日", "五月一日",
              "leading zeros of dates are not spoken"),
    Deviation("zh", r"(?<!\d)\d5后", "95后", "九十五后", "九五后", "generations are digit by digit"),
    Deviation("zh", r"(?<!\d)(?!19|20)\d{4}年[前后来多内间历之]", "1000年历史", "一零零零年历史", "一千年历史",
              "a span is no year"),
    Deviation("zh", r"约\d+/\d+", "约1/3", "三分之约一", "约三分之一", "约 goes before the whole fraction"),
    Deviation("zh", r"/(?:公斤|小时|[斤天人年月日次吨个件晚])", "3次/天", "三次天", "每天三次", "per day, per month"),
    Deviation("zh", r"(?<![A-Za-z])(?:g|Hz|KG|Kg|KM|CM|mL)\b|\d(?:g|Hz|KG|Kg|KM|CM|mL)", "50Hz", "五十 hz", "五十赫兹",
              "units that its list lacks"),
    Deviation("zh", r"\d[÷*]\d|\d[-=]\d", "6÷2", "六除二", "六除以二", "division, products and comparisons"),
    Deviation("zh", r"[A-Za-z]\d{3}", "C919", "c 九百一十九", "c 九幺九", "models and trains are digit by digit"),
    Deviation("zh", r"[A-Za-z]-\d", "COVID-19", "covid 负十九", "covid 十九", "a hyphen is no minus"),
    Deviation("zh", r"\d{3}(?:事件|事变|晚会|大促|购物节)|(?:38|51|54|61|81)(?:妇女|劳动|青年|儿童|建军)|99乘法",
              "911事件", "九百一十一事件", "九一一事件", "names of days are digit by digit"),
    Deviation("zh", r"(?:985|211)(?:高校|院校|大学|工程|学校)|(?:波音|空客)\d{3}|"
              r"\d{3,4}(?:医院|中学|国道|省道|不锈钢|工作制|路(?=公交|车|$))",
              "985高校", "九百八十五高校", "九八五高校", "schools, roads and models are names"),
    Deviation("zh", r"米\d\d(?!\d)", "1米75", "一米七十五", "一米七五", "a height's centimetres are digit by digit"),
    Deviation("zh", r"\d\d(?:V|W)|\d(?:nm|dB|kHz|MHz|GHz|mAh)", "220V", "两百二十 v", "两百二十伏",
              "units that its list lacks"),
    Deviation("zh", r"\d\^\d", "10^3", "十三", "十的三次方", "powers"),
    Deviation("zh", r"[A-Za-z]:\d{5}|(?:电话|手机|座机|传真|微信|身份证)[是为:]?\d{4}|\d{17}[Xx]", "QQ:12345678",
              "qq 一千二百三十四万五千六百七十八", "qq 幺二三四五六七八", "numbers of accounts are digit by digit"),
    Deviation("zh", r"\d{3,}@|@\S*\d{3}", "163@qq.com", "一百六十三 at qq dot com", "幺六三 at qq dot com",
              "digits of addresses are one by one"),
    Deviation("zh", r"[A-Za-z][-+×*÷=].*=|=[A-Za-z]", "x+y=5", "x plus y equal sign 五", "x 加 y 等于五", "equations"),
    Deviation("zh", r"\d[—―]\d", "1—2天", "一两天", "一到两天", "ranges with a dash"),
    Deviation("zh", r"[时点分半][-~—–―]\d{1,2}[时点分]", "9点-11点", "九点负十一点", "九点到十一点", "ranges of hours"),
    Deviation("zh", r"\d+\.\d+\.\d+", "3.0.1", "三零点一", "三点零点一", "versions have two points"),
    Deviation("zh", r"\d·\d", "9·11", "九十一", "九一一", "names of days are digit by digit"),
    Deviation("zh", r"[A-Za-z] ?\d+ ?[A-Za-z]", "iPhone 15 Pro", "iphone 十五 pro", "iphone fifteen pro",
              "a number between Latin words is read with them"),
    Deviation("zh", r"\b[A-Za-z]\d[A-Za-z]\b", "B2B", "b to b", "b 二 b", "digits in names stay digits"),
    Deviation("zh", r"\d(?:[ap]m|st|nd|rd|th|x)\b", "1st", "一秒 t", "一 st", "no seconds in 1st"),
    Deviation("en", rf"{_MONTHS} \d{{1,2}}(?!\d)", "July 4", "the fourth of july", "july fourth",
              "the order of words stays"),
    Deviation("en", r"\d{1,2} May\b", "5 May 2020", "five may twenty twenty", "the fifth of may twenty twenty",
              "a day of May is one of the others"),
    Deviation("en", r"\d{4}s|\b20s", "1980s", "one thousand nine hundred and eighty seconds", "nineteen eighties",
              "decades are no seconds"),
    Deviation("en", r"(?<![\d-])\d[\d.,]* ?[-–x] ?\d[\d.,]*(?![\d-])|\d:\d(?!\d)", "5-10 days",
              "five to ten daltons ys", "five to ten days",
              "ranges tear the first letter off the next word"),
    Deviation("en", r"\d{3}-\d{4}|\(\d{3}\)", "555-0199",
              "five hundred and fifty five negative oh one hundred and ninety nine",
              "five five five zero one nine nine", "telephone numbers of seven digits"),
    Deviation("en", r"\b1,\d{3}(?![,\d])", "1,001", "thousand and one", "one thousand and one", "one is spoken"),
    Deviation("en", r"(?<!\d)0\.\d*0", "0.05", "oh point oh five", "zero point oh five", "zero before the point"),
    Deviation("en", r"[$€£¥][\d.,]+(?:k|b|B|-)", "$10k", "dollar ten k", "ten thousand dollars", "shortened amounts"),
    Deviation("en", r"\b0\d{3,}|\d{13,}", "029049021748",
              "oh twenty nine billion forty nine million twenty one thousand seven hundred and forty eight",
              "oh two nine oh four nine oh two one seven four eight", "with a leading zero it is a name"),
    Deviation("en", r"(?i:call\w*|dial\w*) 911", "call 911",
              "call nine hundred and eleven", "call nine one one", "a hotline"),
    Deviation("en", r"\d\^\d", "10^2", "ten circumflex two", "ten squared", "powers"),
    Deviation("en", r"(?<!\d)9/11(?!\d)", "9/11", "nine elevenths", "nine eleven", "a day's name"),
    Deviation("en", r"\d-\d{1,2}(?::\d\d)?[AaPp]\.?[Mm]", "5-6pm", "five six pm", "five to six pm", "ranges of hours"),
    Deviation("en", r"[$€£¥][\d.,]+[a-zA-Z]*/[a-z]", "$10/hr", "dollar ten slash hr", "ten dollars per hour", "rates"),
    Deviation("en", r"[CF]#", "C#", "c hash", "c sharp", "the language, or the tone"),
    Deviation("en", r"-(?:1[1-9]|20)?[2-9]0s\b", "mid-20s", "mid twenty s", "mid twenties", "decades behind a hyphen"),
    Deviation("en", r"\d ?(?:L|mL|sec|hrs?|yrs?|tbsp|tsp|dB)\b", "10 L", "ten l", "ten liters",
              "units that its list lacks"),
    Deviation("en", r"\d{3}[ .]\d{3}[ .]\d{4}", "555 123 4567",
              "five hundred and fifty five one hundred and twenty three four thousand five hundred and sixty seven",
              "five five five one two three four five six seven", "telephone numbers in groups"),
    Deviation("en", r"24/7|\b(\d+)/\1\b", "24/7", "twenty four sevenths", "twenty four seven", "no fraction"),
    Deviation("en", r"\d ?(?:m|mi)\b", "3 m", "three minutes", "three meters", "meters are no minutes"),
    Deviation("en", r"\d(?:st|nd|rd|th)-", "2nd-hand", "two nd hand", "second hand", "ordinals before a hyphen"),
    Deviation("en", r"\d'\d", "5'10", "five'ten", "five foot ten", "heights"),
    Deviation("en", r"\d[*÷]\d", "3*4", "three asterisk four", "three times four", "products"),
    Deviation("en", r"\b(?:Mrs|Ms|Jr|TV|Ph\.D|No)\b", "Mrs. Hill", "misses hill", "missus hill",
              "as it is said; letters are said as written"),
    Deviation("en", r"@\S+\.[a-z]+\.?$|@\S+\.[a-z]+\.\W", "a@mail.com.", "a at mai l dot com dot", "a at mail dot com",
              "the full stop is no part of the address"),
    Deviation("en", r"[1-9](?:[1-9]\d|0[1-9]),\d{3}|(?<![\d.,])[1-9]\d{5,}(?![\d.,])|,000,0\d\d", "123,456",
              "one hundred twenty three thousand four hundred and fifty six",
              "one hundred and twenty three thousand four hundred and fifty six", "one style of and in all groups"),
    Deviation("en", r"\b[A-Za-z]+\d{3}\b|\b\d{3,}(?:st|nd|rd|th)\b", "A380", "a three hundred eighty",
              "a three hundred and eighty", "one style of and in names and ordinals, too"),
    Deviation("en", r"(?<![\d.,])[1-9]\d{3} [a-z]+", "2345 apples", "twenty three forty five apples",
              "two thousand three hundred and forty five apples", "what is counted is no year"),
    Deviation("en", r", [A-Z]{2} \d{5}|^\d{5}-\d{4}$", "Santa Clara, CA 95051",
              "santa clara california ninety five thousand and fifty one",
              "santa clara california nine five zero five one", "postal codes are digit by digit"),
    Deviation("en", r"(?:[A-Z]\. ){2}[A-Z][a-z]|[A-Z]\. [A-Z]\. ", "C. S. Lewis", "cs lewis", "c s lewis",
              "initials of a name stay apart"),
    Deviation("en", r"(?<!\d)\d{1,2}/\d{1,2}/\d\d(?!\d)", "11/17/05", "eleven seventeen oh five",
              "the seventeenth of november oh five", "dates with a short year"),
    Deviation("en", r"\d:\d\d:\d\d", "22:41:31", "twenty two hours forty one minute and thirty one second",
              "twenty two hours forty one minutes and thirty one seconds", "more than one is a plural"),
    Deviation("en", r"\d:\d\d[A-Z]{2}", "10:30EST", "ten to three zero est", "ten thirty est", "hours with a zone"),
    Deviation("en", r"\+\d{1,3}[ -]\d", "+1 123-123-5678-1",
              "plus one one two three one two three five six seven eight one",
              "one one two three one two three five six seven eight one", "the sign of a telephone number is silent"),
    Deviation("en", r"\d+/\d{3,}/\d+|\d{3,}/\d+/\d+|\d+(?:-\d+){2,}", "321/4567/2020",
              "three hundred and twenty one divided by four thousand five hundred and sixty seven divided by "
              "two thousand and twenty", "three two one four five six seven two zero two zero",
              "names of numbers are no sums"),
    Deviation("en", r"\d ?(?:mins|secs|kgs|wks?|mos?|lbs)\b|\d (?:thousand|million|billion) [a-zA-Zμ]{1,3}\b", "5 mins",
              "five mins", "five minutes", "units that its list lacks"),
    Deviation("en", r"[A-Z]\$|[₩₹₽₺₫฿₱₦₴₪₿]|[$€£¥][\d.,]+ (?:dollars|euros|pounds|yen|yuan|[A-Z]{3})|\d [A-Z]{3}\b",
              "A$50", "a dollar fifty", "fifty australian dollars", "other currencies, and those written twice"),
    Deviation("en", r"[-+][$€£¥]|[$€£¥]-", "-$5", "five dollars", "negative five dollars", "the sign is spoken"),
    Deviation("en", r"[<>~] ?\d|\d ?[<>]", "x < 5", "x five", "x less than five", "comparisons are spoken"),
    Deviation("en", r"\d['’ ]\d{3}", "1'000", "one'oh oh zero", "one thousand", "other separators between thousands"),
    Deviation("en", r"\d\.\d+[A-Za-z]", "1.5M", "one five m", "one point five m", "the point is spoken"),
    Deviation("en", r"[A-Za-z]\d{4,}", "ab9453", "ab nine thousand four hundred fifty three",
              "ab nine four five three", "codes are digit by digit"),
    Deviation("en", r"\d\"", '12"', "twelve", "twelve inches", "inches, where no quotation is open"),
    Deviation("en", r"\d0's\b", "80's", "eighty's", "eighties", "decades"),
    Deviation("en", rf"{_MONTHS}-\d", "Jan-15-2020", "the fifteenth of january twenty twenty",
              "january fifteenth twenty twenty", "the order of words stays"),
    Deviation("en", r"\b[Nn]r\.? ?\d|№", "Nr. 7", "nr seven", "number seven", "number signs"),
    Deviation("en", r"\d/[a-zA-Z]\b", "1/f", "one per degree fahrenheit", "one slash f", "no unit"),
    Deviation("en", r"\b(?:40[13]|457|529)\(?[kb]\b", "401(k)", "four hundred and one k", "four oh one k",
              "as it is said"),
    Deviation("en", r"-\d[\d.,]* (?:thousand|million|billion|trillion)", "-12.5 billion",
              "minus twelve point five billion", "negative twelve point five billion", "as other numbers are"),
)  # fmt: skip

NEMO = (
    Deviation("en", r"(?<!\S)-\d", "-2", "minus two", "negative two", "as WeTextProcessing reads it"),
    Deviation("en", r"(?<![\d,.])\d{5,}(?![\d,.])", "13000", "one three zero zero zero", "thirteen thousand",
              "a number is no name because it has five digits"),
    Deviation("en", r"\b0\d|[.,]\d*0|\d0\d", "004", "zero zero four", "oh oh four",
              "zero is oh, as WeTextProcessing has it"),
    Deviation("en", r"\d{4}[-/]\d+[-/]\d+|\d+/\d+/\d+", "2006-08-05", "august fifth two thousand six",
              "the fifth of august two thousand six", "as WeTextProcessing reads it"),
    Deviation("en", r"\d\d\.\d\d\.\d{4}", "01.10.2010", "january tenth twenty ten", "the first of october twenty ten",
              "with points the day stands first"),
    Deviation("en", r"\b\d{3} A\.D|\d{3}-[A-Za-z]|-\d{3}-", "340 A.D", "three forty ad", "three hundred and forty ad",
              "one style of numbers"),
    Deviation("en", r"[$£€]\d*\.\d{1,3}", "$20.50", "twenty dollars fifty cents", "twenty point five dollars",
              "as WeTextProcessing reads it; who says cents is written so"),
    Deviation("en", r"[a-z]\.abc\b", "test.abc", "test dot abc", "test abc",
              "a point between words is a full stop but for known domains"),
    Deviation("en", r"://\S+(?:/$|\.jpg|-\d{4})", "https://a.com/b/", "https colon slash slash a dot com slash b slash",
              "https colon slash slash a dot com slash b",
              "nobody says the last slash; digits of addresses are one by one"),
    Deviation("en", r"@\S+", "cdf1@abc.edu", "c d f one at a b c dot e d u", "cdf one at abc dot edu",
              "letters of names are written together"),
    Deviation("en", r"\d ?\"|\d+/ |^/|\d'", "14/ of", "fourteen slash of", "fourteen of",
              "marks at the edge of a word"),
    Deviation("en", r"\d\+\d+ m2", "2+3 m2", "two plus three m two", "two plus three square meters", "units"),
    Deviation("en", r"\d{4} s\b", "1980 s", "nineteen eighties", "nineteen eighty s", "a letter alone is a letter"),
    Deviation("en", r"\d,\d{3,}th", "9000,000th", "nine thousand zero zero zero th", "nine thousand zeroth",
              "no number at all"),
    Deviation("en", r"cc/s", "3 cc/s", "three cc per s", "three cc s", "cc is no unit of speed"),
)  # fmt: skip
"""Where NeMo-text-processing's own tests (English) read otherwise, beside what WeTextProcessing does as well."""


def deviation(text: str, language: str) -> Deviation | None:
    """The first kind that may concern a raw text of this language, None outside the list."""
    rules = "en" if language == "en" else "zh"
    plain = unicodedata.normalize("NFKC", text)
    return next((one for one in DEVIATIONS if one.language == rules and re.search(one.pattern, plain)), None)
