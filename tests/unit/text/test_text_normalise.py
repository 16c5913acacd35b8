"""The normaliser, as a specification: one case a line."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.errors import TextError, UserError
from earmark.text import normalise as module
from earmark.text.normalise import normalise, script_runs, tokens
from earmark.text.numbers import stretches, wetext

WITHOUT_NUMBERS = [
    # punctuation and case
    ("你好，世界！", "zh", "你好世界"),
    ("哈哈哈！！！", "zh", "哈哈哈"),
    ("《红楼梦》——曹雪芹", "zh", "红楼梦曹雪芹"),
    ("“好”、‘不好’……", "zh", "好不好"),
    ("Hello, World!", "en", "hello world"),
    ("WAIT -- what?!", "en", "wait what"),
    ("well-known state-of-the-art", "en", "well known state of the art"),
    ("snake_case and/or", "en", "snake case and or"),
    ("the U.S. army", "en", "the u s army"),
    ("end.Next", "en", "end next"),
    ("(parenthesis) {braces}", "en", "parenthesis braces"),
    # apostrophes
    ("don't", "en", "don't"),
    ("Don’t", "en", "don't"),
    ("don`t don´t", "en", "don't don't"),
    ("It's five o'clock", "en", "it's five o'clock"),
    ("rock 'n' roll", "en", "rock n roll"),
    ("the dogs' bowls", "en", "the dogs bowls"),
    ("'quoted'", "en", "quoted"),
    ("I'd've", "en", "i'd've"),
    ("'", "en", None),
    # full width, compatibility and zero-width characters
    ("ＡＢＣ　ｄｅｆ", "en", "abc def"),
    ("ﬁre ﬂy", "en", "fire fly"),
    ("zero\u200bwidth", "en", "zerowidth"),
    ("tab\tand\nline", "en", "tab and line"),
    ("no\u00a0break", "en", "no break"),
    ("你\ufeff好", "zh", "你好"),
    # accents and ligatures
    ("Café naïve", "en", "cafe naive"),
    ("Straße Ærø Œuvre", "en", "strasse aero oeuvre"),
    ("cafe\u0301", "en", "cafe"),
    # traditional to simplified
    ("銀行", "zh", "银行"),
    ("軟體開發", "zh", "软体开发"),
    ("乾淨的頭髮", "zh", "干净的头发"),
    ("乾隆皇帝", "zh", "乾隆皇帝"),
    ("著名", "zh", "著名"),
    ("香港嘅天氣", "yue", "香港嘅天气"),
    ("裏面", "zh-en", "里面"),
    ("二〇二四", "zh", "二零二四"),
    # spaces
    ("你 好 吗", "zh", "你好吗"),
    ("  hello   world  ", "en", "hello world"),
    ("打开the window好吗", "zh-en", "打开 the window 好吗"),
    ("打开 the window 好吗", "zh-en", "打开 the window 好吗"),
    ("打开，the window。好吗？", "zh-en", "打开 the window 好吗"),
    ("我用WiFi上网", "zh", "我用 wifi 上网"),
    # tags of corpora
    ("HELLO <COMMA> WORLD <PERIOD>", "en", "hello world"),
    ("WHY <QUESTIONMARK>", "en", "why"),
    ("<NOISE>你好", "zh", "你好"),
    ("<|zh|>你好</s>", "zh", "你好"),
    ("so [laughter] funny [*]", "en", "so funny"),
    ("[LAUGHTER]好", "zh", "好"),
    ("<spoken_noise> yes", "en", "yes"),
    ("＜ＮＯＩＳＥ＞好", "zh", "好"),
    ("a < b and c > d", "en", "a less than b and c greater than d"),
    # other scripts stay, so that labelling can refuse them
    ("Привет, мир", "en", "привет мир"),
    ("ありがとう", "zh", "ありがとう"),
    ("好😀的", "zh", "好的"),
    # dialects
    ("巴适得板", "zh-sichuan", "巴适得板"),
    # nothing left
    ("", "zh", None),
    ("   ", "en", None),
    ("……！？", "zh", None),
    ("<NOISE>", "en", None),
    ("[laughter] <SIL>", "zh-en", None),
    ("😀", "zh", None),
]

WITH_NUMBERS = [
    # Chinese
    ("我有3个苹果", "zh", "我有三个苹果"),
    ("我有２个", "zh", "我有两个"),
    ("2020年5月1日", "zh", "二零二零年五月一日"),
    ("5 月 1 日", "zh", "五月一日"),
    ("涨了3.5%", "zh", "涨了百分之三点五"),
    ("３．５％", "zh", "百分之三点五"),
    ("¥100", "zh", "一百元"),
    ("1,000元", "zh", "一千元"),
    ("气温-5°C", "zh", "气温负五摄氏度"),
    ("20℃", "zh", "二十摄氏度"),
    ("重5kg", "zh", "重五千克"),
    ("2+3=5", "zh", "二加三等于五"),
    ("10:30开会", "zh", "十点三十分开会"),
    ("第1名", "zh", "第一名"),
    ("12 13", "zh", "十二十三"),
    ("玩儿2天", "zh", "玩儿两天"),
    ("呃，有5个", "zh", "呃有五个"),
    ("2個蘋果", "yue", "两个苹果"),
    # English
    ("I have 3 apples", "en", "i have three apples"),
    ("50%", "en", "fifty percent"),
    ("$5.20", "en", "five point two dollars"),
    ("May 5, 2020", "en", "may fifth twenty twenty"),
    ("at 3:30 pm", "en", "at three thirty pm"),
    ("the 2nd", "en", "the second"),
    ("3½ cups", "en", "three and a half cups"),
    ("AT&T", "en", "at and t"),
    ("a@b.com", "en", "a at b dot com"),
    ("٣ apples", "en", "three apples"),
    # code-switch: the neighbours choose
    ("我 have 3 apples", "zh-en", "我 have three apples"),
    ("50% off今天", "zh-en", "百分之五十 off 今天"),
    ("我用iPhone 15", "zh-en", "我用 iphone 十五"),
    ("iPhone 15 Pro很好", "zh-en", "iphone fifteen pro 很好"),
    ("3G网络", "zh", "三 g 网络"),
    ("我学C++", "zh", "我学 c plus plus"),
    ("2020", "zh", "两千零二十"),
    ("2020", "en", "twenty twenty"),
    ("привет 5", "en", "привет five"),
]


FURTHER_CHINESE = [
    ("12月2日", "zh", "十二月二日"),
    ("第2名", "zh", "第二名"),
    ("第2次世界大战", "zh", "第二次世界大战"),
    ("第2个", "zh", "第二个"),
    ("2日凌晨", "zh", "二日凌晨"),
    ("2022年12月2日", "zh", "二零二二年十二月二日"),
    ("2点", "zh", "两点"),
    ("下午2点半", "zh", "下午两点半"),
    ("2:30", "zh", "两点三十分"),
    ("0:30", "zh", "零点三十分"),
    ("10:00-12:00", "zh", "十点到十二点"),
    ("3:30pm", "zh", "下午三点三十分"),
    ("8:05", "zh", "八点零五分"),
    ("18:30:05", "zh", "十八点三十分五秒"),
    ("22:00", "zh", "二十二点"),
    ("2008年", "zh", "二零零八年"),
    ("98年", "zh", "九十八年"),
    ("1998-2000年", "zh", "一九九八到二零零零年"),
    ("2年", "zh", "两年"),
    ("2年级", "zh", "二年级"),
    ("2班", "zh", "二班"),
    ("2楼", "zh", "二楼"),
    ("2号楼", "zh", "二号楼"),
    ("2两酒", "zh", "二两酒"),
    ("2岁", "zh", "两岁"),
    ("2次", "zh", "两次"),
    ("2种", "zh", "两种"),
    ("2倍", "zh", "两倍"),
    ("2手车", "zh", "二手车"),
    ("2维码", "zh", "二维码"),
    ("22个", "zh", "二十二个"),
    ("12个", "zh", "十二个"),
    ("102个", "zh", "一百零二个"),
    ("200个", "zh", "两百个"),
    ("220个", "zh", "两百二十个"),
    ("2000个", "zh", "两千个"),
    ("2200", "zh", "两千二百"),
    ("22000", "zh", "两万二千"),
    ("20000", "zh", "两万"),
    ("200000", "zh", "二十万"),
    ("2万", "zh", "两万"),
    ("2.5万", "zh", "二点五万"),
    ("2亿", "zh", "两亿"),
    ("10010", "zh", "幺零零幺零"),
    ("1010", "zh", "一千零一十"),
    ("1001", "zh", "一千零一"),
    ("110", "zh", "幺幺零"),
    ("110个", "zh", "一百一十个"),
    ("拨打110", "zh", "拨打幺幺零"),
    ("打120", "zh", "打幺二零"),
    ("119火警", "zh", "幺幺九火警"),
    ("12306", "zh", "幺二三零六"),
    ("10086客服", "zh", "幺零零八六客服"),
    ("95588", "zh", "九五五八八"),
    ("13800138000", "zh", "幺三八零零幺三八零零零"),
    ("138-0013-8000", "zh", "幺三八零零幺三八零零零"),
    ("138 0013 8000", "zh", "幺三八零零幺三八零零零"),
    ("+86-13800138000", "zh", "八六幺三八零零幺三八零零零"),
    ("010-12345678", "zh", "零幺零幺二三四五六七八"),
    ("0571-88888888", "zh", "零五七幺八八八八八八八八"),
    ("400-800-1234", "zh", "四零零八零零幺二三四"),
    ("尾号1234", "zh", "尾号幺二三四"),
    ("身份证号110101199003078515", "zh", "身份证号幺幺零幺零幺幺九九零零三零七八五幺五"),
    ("QQ号12345678", "zh", "qq 号幺二三四五六七八"),
    ("订单号20230512001234", "zh", "订单号二零二三零五幺二零零幺二三四"),
    ("007", "zh", "零零七"),
    ("00后", "zh", "零零后"),
    ("80后", "zh", "八零后"),
    ("95后", "zh", "九五后"),
    ("90年代", "zh", "九十年代"),
    ("3.14", "zh", "三点一四"),
    ("0.5", "zh", "零点五"),
    ("0.05", "zh", "零点零五"),
    ("10.5", "zh", "十点五"),
    ("5.20", "zh", "五点二零"),
    ("-5", "zh", "负五"),
    ("-3.5", "zh", "负三点五"),
    ("+5", "zh", "正五"),
    ("±5", "zh", "正负五"),
    ("5%", "zh", "百分之五"),
    ("-5%", "zh", "负百分之五"),
    ("3.50%", "zh", "百分之三点五零"),
    ("100%", "zh", "百分之一百"),
    ("5%-10%", "zh", "百分之五到百分之十"),
    ("5-10%", "zh", "百分之五到十"),
    ("1.5‰", "zh", "千分之一点五"),
    ("¥2", "zh", "两元"),
    ("￥99.9", "zh", "九十九点九元"),
    ("€30", "zh", "三十欧元"),
    ("£20", "zh", "二十英镑"),
    ("$100万", "zh", "一百万美元"),
    ("¥1,000", "zh", "一千元"),
    ("1,000", "zh", "一千"),
    ("12,345.67元", "zh", "一万二千三百四十五点六七元"),
    ("1,234,567", "zh", "一百二十三万四千五百六十七"),
    ("3-5天", "zh", "三到五天"),
    ("3~5个", "zh", "三到五个"),
    ("2-3个", "zh", "两到三个"),
    ("1到2天", "zh", "一到两天"),
    ("2到3个", "zh", "两到三个"),
    ("100-200元", "zh", "一百到两百元"),
    ("1990-1995", "zh", "一九九零到一九九五"),
    ("10月1日-7日", "zh", "十月一日到七日"),
    ("10月1号—10月7号", "zh", "十月一号到十月七号"),
    ("3月-5月", "zh", "三月到五月"),
    ("2019年-2021年", "zh", "二零一九年到二零二一年"),
    ("上午9点-11点", "zh", "上午九点到十一点"),
    ("9点半~11点半", "zh", "九点半到十一点半"),
    ("12月-5度", "zh", "十二月负五度"),
    ("比分3-2", "zh", "比分三比二"),
    ("以2-1获胜", "zh", "以二比一获胜"),
    ("3:2", "zh", "三比二"),
    ("16:9", "zh", "十六比九"),
    ("1:100", "zh", "一比一百"),
    ("1/2", "zh", "二分之一"),
    ("3/4", "zh", "四分之三"),
    ("12/25", "zh", "十二月二十五日"),
    ("05/01", "zh", "五月一日"),
    ("2020-05-01", "zh", "二零二零年五月一日"),
    ("2020/5/1", "zh", "二零二零年五月一日"),
    ("2020.5.1", "zh", "二零二零年五月一日"),
    ("2020-05", "zh", "二零二零年五月"),
    ("05月01日", "zh", "五月一日"),
    ("5kg", "zh", "五千克"),
    ("5KG", "zh", "五千克"),
    ("2kg", "zh", "两千克"),
    ("2m", "zh", "两米"),
    ("1.75m", "zh", "一点七五米"),
    ("100m2", "zh", "一百平方米"),
    ("20㎡", "zh", "二十平方米"),
    ("60km/h", "zh", "每小时六十公里"),
    ("-5°C", "zh", "负五摄氏度"),
    ("15.5度", "zh", "十五点五度"),
    ("50Hz", "zh", "五十赫兹"),
    ("5g", "zh", "五克"),
    ("8GB", "zh", "八 gb"),
    ("3G", "zh", "三 g"),
    ("5G网络", "zh", "五 g 网络"),
    ("4K电视", "zh", "四 k 电视"),
    ("3D打印", "zh", "三 d 打印"),
    ("B2B", "zh", "b 二 b"),
    ("A4纸", "zh", "a 四纸"),
    ("K12", "zh", "k 十二"),
    ("C919", "zh", "c 九幺九"),
    ("A380", "zh", "a 三八零"),
    ("G1234次列车", "zh", "g 幺二三四次列车"),
    ("CA1234航班", "zh", "ca 幺二三四航班"),
    ("iPhone 15 Pro", "zh", "iphone fifteen pro"),
    ("iPhone15", "zh", "iphone 十五"),
    ("Windows 10", "zh", "windows ten"),
    ("Win10", "zh", "win 十"),
    ("V2.0", "zh", "v 二点零"),
    ("3.0.1", "zh", "三点零点一"),
    ("192.168.1.1", "zh", "一九二点一六八点一点一"),
    ("PM2.5", "zh", "pm 二点五"),
    ("MP3", "zh", "mp 三"),
    ("H7N9", "zh", "h 七 n 九"),
    ("COVID-19", "zh", "covid 十九"),
    ("GPT-4", "zh", "gpt 四"),
    ("1+1=2", "zh", "一加一等于二"),
    ("5-3=2", "zh", "五减三等于二"),
    ("3×5=15", "zh", "三乘五等于十五"),
    ("6÷2=3", "zh", "六除以二等于三"),
    ("3>2", "zh", "三大于二"),
    ("2*3", "zh", "二乘三"),
    ("301房间", "zh", "三零幺房间"),
    ("502室", "zh", "五零二室"),
    ("502班", "zh", "五百零二班"),
    ("1号线", "zh", "一号线"),
    ("12路公交", "zh", "十二路公交"),
    ("50元/斤", "zh", "每斤五十元"),
    ("20多岁", "zh", "二十多岁"),
    ("100多个", "zh", "一百多个"),
    ("第100", "zh", "第一百"),
    ("1米8", "zh", "一米八"),
    ("1万2", "zh", "一万二"),
    ("5点30分", "zh", "五点三十分"),
    ("24小时", "zh", "二十四小时"),
    ("3、4个", "zh", "三四个"),
    ("100，200，300", "zh", "一百两百三百"),
    ("２０２０年", "zh", "二零二零年"),
    ("二〇二〇年", "zh", "二零二零年"),
    ("③", "zh", "三"),
    ("No.1", "zh", "number one"),
    ("www.baidu.com", "zh", "www dot baidu dot com"),
    ("C++", "zh", "c plus plus"),
    ("A+", "zh", "a plus"),
    ("24h", "zh", "二十四小时"),
    ("5min", "zh", "五分钟"),
    ("30s", "zh", "三十秒"),
    ("1.5倍", "zh", "一点五倍"),
    ("365天", "zh", "三百六十五天"),
    ("一会儿", "zh", "一会儿"),
    ("2元", "zh", "两元"),
    ("2块5", "zh", "两块五"),
    ("2分钟", "zh", "两分钟"),
    ("2公斤", "zh", "两公斤"),
    ("2米", "zh", "两米"),
    ("2/3", "zh", "三分之二"),
    ("约1/3", "zh", "约三分之一"),
    ("1800年历史", "zh", "一千八百年历史"),
    ("88岁", "zh", "八十八岁"),
    ("10后", "zh", "一零后"),
    ("9·11", "zh", "九一一"),
    ("100+", "zh", "一百加"),
    ("5折", "zh", "五折"),
    ("8.5折", "zh", "八点五折"),
    ("100%纯棉", "zh", "百分之一百纯棉"),
    ("【笑声】好", "zh", "好"),
    ("（笑）对", "zh", "对"),
    ("你&amp;我", "zh", "你和我"),
    ("你好[UNK]", "zh", "你好"),
    ("<SPOKEN_NOISE>好的", "zh", "好的"),
    ("<FIL>嗯", "zh", "嗯"),
    ("妳", "zh", "你"),
    ("裏", "zh", "里"),
    ("衞生", "zh", "卫生"),
    ("著", "zh", "著"),
    ("隻", "zh", "只"),
    ("麵", "zh", "面"),
    ("後天", "zh", "后天"),
    ("皇后", "zh", "皇后"),
]

FURTHER_ENGLISH = [
    ("May 5th", "en", "may fifth"),
    ("June 1, 1999", "en", "june first nineteen ninety nine"),
    ("July 4", "en", "july fourth"),
    ("3 March 1995", "en", "the third of march nineteen ninety five"),
    ("the 21st", "en", "the twenty first"),
    ("1st place", "en", "first place"),
    ("100th", "en", "one hundredth"),
    ("2,000th", "en", "two thousandth"),
    ("1999", "en", "nineteen ninety nine"),
    ("2000", "en", "two thousand"),
    ("2005", "en", "two thousand five"),
    ("1905", "en", "nineteen oh five"),
    ("1900", "en", "nineteen hundred"),
    ("2019", "en", "twenty nineteen"),
    ("2023", "en", "twenty twenty three"),
    ("3000", "en", "three thousand"),
    ("3456", "en", "three thousand four hundred and fifty six"),
    ("1234", "en", "twelve thirty four"),
    ("100", "en", "one hundred"),
    ("101", "en", "one hundred and one"),
    ("110", "en", "one hundred and ten"),
    ("123", "en", "one hundred and twenty three"),
    ("1000", "en", "one thousand"),
    ("1,000", "en", "one thousand"),
    ("1,001", "en", "one thousand and one"),
    ("1,999", "en", "one thousand nine hundred and ninety nine"),
    ("2,500", "en", "two thousand five hundred"),
    ("12,345", "en", "twelve thousand three hundred and forty five"),
    ("123,456", "en", "one hundred and twenty three thousand four hundred and fifty six"),
    ("1,000,000", "en", "one million"),
    ("1234567", "en", "one million two hundred and thirty four thousand five hundred and sixty seven"),
    ("3.5", "en", "three point five"),
    ("0.5", "en", "zero point five"),
    ("0.05", "en", "zero point oh five"),
    ("3.14159", "en", "three point one four one five nine"),
    ("10.10", "en", "ten point one oh"),
    ("-5", "en", "negative five"),
    ("3.25%", "en", "three point two five percent"),
    ("42.00%", "en", "forty two point oh oh percent"),
    ("-3%", "en", "negative three percent"),
    ("5-10%", "en", "five to ten percent"),
    ("$5", "en", "five dollars"),
    ("$1", "en", "one dollar"),
    ("$5.00", "en", "five dollars"),
    ("$7.03", "en", "seven point oh three dollars"),
    ("$0.99", "en", "zero point nine nine dollars"),
    ("$1,234.56", "en", "one thousand two hundred and thirty four point five six dollars"),
    ("$3 million", "en", "three million dollars"),
    ("$1.5 billion", "en", "one point five billion dollars"),
    ("$5m", "en", "five million dollars"),
    ("$10k", "en", "ten thousand dollars"),
    ("$5-10", "en", "five to ten dollars"),
    ("€30", "en", "thirty euros"),
    ("£20", "en", "twenty pounds"),
    ("¥500", "en", "five hundred yen"),
    ("3:30", "en", "three thirty"),
    ("3:30 pm", "en", "three thirty pm"),
    ("3:30p.m.", "en", "three thirty pm"),
    ("10:00", "en", "ten o'clock"),
    ("10:05", "en", "ten o five"),
    ("10:00 am", "en", "ten am"),
    ("12:30", "en", "twelve thirty"),
    ("23:15", "en", "twenty three fifteen"),
    ("5 pm", "en", "five pm"),
    ("5pm", "en", "five pm"),
    ("11 a.m.", "en", "eleven am"),
    ("1/2", "en", "one half"),
    ("3/4", "en", "three quarters"),
    ("2/3", "en", "two thirds"),
    ("3 1/2", "en", "three and a half"),
    ("24/7", "en", "twenty four seven"),
    ("22/7", "en", "twenty two sevenths"),
    ("1980s", "en", "nineteen eighties"),
    ("'90s", "en", "nineties"),
    ("the 2010s", "en", "the twenty tens"),
    ("1900s", "en", "nineteen hundreds"),
    ("5kg", "en", "five kilograms"),
    ("5 kg", "en", "five kilograms"),
    ("1 kg", "en", "one kilogram"),
    ("60 mph", "en", "sixty miles per hour"),
    ("100 km/h", "en", "one hundred kilometers per hour"),
    ("20°C", "en", "twenty degrees celsius"),
    ("-5°C", "en", "minus five degrees celsius"),
    ("98.6 °F", "en", "ninety eight point six degrees fahrenheit"),
    ("8GB", "en", "eight gigabytes"),
    ("5 GHz", "en", "five gigahertz"),
    ("6 ft", "en", "six feet"),
    ("3 m", "en", "three meters"),
    ("555-1234", "en", "five five five one two three four"),
    ("555-123-4567", "en", "five five five one two three four five six seven"),
    ("(555) 123-4567", "en", "five five five one two three four five six seven"),
    ("1-800-555-0199", "en", "one eight zero zero five five five zero one nine nine"),
    ("call 911", "en", "call nine one one"),
    ("911 people", "en", "nine hundred and eleven people"),
    ("iPhone 15 Pro", "en", "iphone fifteen pro"),
    ("Windows 11", "en", "windows eleven"),
    ("COVID-19", "en", "covid nineteen"),
    ("B2B", "en", "b two b"),
    ("A4", "en", "a four"),
    ("A380", "en", "a three hundred and eighty"),
    ("3D", "en", "three d"),
    ("4K", "en", "four k"),
    ("mp3", "en", "mp three"),
    ("F16", "en", "f sixteen"),
    ("Boeing 747", "en", "boeing seven hundred and forty seven"),
    ("flight 370", "en", "flight three hundred and seventy"),
    ("page 42", "en", "page forty two"),
    ("5-10", "en", "five to ten"),
    ("5-10 hours", "en", "five to ten hours"),
    ("10-20 days", "en", "ten to twenty days"),
    ("2010-2015", "en", "twenty ten to twenty fifteen"),
    ("score 2-1", "en", "score two to one"),
    ("2:1", "en", "two to one"),
    ("10-year-old", "en", "ten year old"),
    ("#1", "en", "number one"),
    ("No. 5", "en", "number five"),
    ("there is no 5", "en", "there is no five"),
    ("Mr. Brown", "en", "mister brown"),
    ("Mrs. Hill", "en", "missus hill"),
    ("Dr. Smith", "en", "doctor smith"),
    ("Dr Smith", "en", "doctor smith"),
    ("St. Louis", "en", "saint louis"),
    ("e.g. this", "en", "e g this"),
    ("U.S.A.", "en", "usa"),
    ("www.google.com", "en", "www dot google dot com"),
    ("example.com", "en", "example dot com"),
    ("R&D", "en", "r and d"),
    ("1+1=2", "en", "one plus one equals two"),
    ("C++", "en", "c plus plus"),
    ("100+", "en", "one hundred plus"),
    ("5 & 6", "en", "five and six"),
    ("World War 2", "en", "world war two"),
    ("World War II", "en", "world war two"),
    ("007", "en", "oh oh seven"),
    ("0", "en", "zero"),
    ("3.0", "en", "three point oh"),
    ("v2.0", "en", "v two point oh"),
    ("1.2.3", "en", "one point two point three"),
    ("192.168.0.1", "en", "one nine two dot one six eight dot zero dot one"),
    ("10k", "en", "ten k"),
    ("2x", "en", "two x"),
    ("it 's fine", "en", "it's fine"),
    ("they 're here", "en", "they're here"),
    ("WHAT <QUESTIONMARK> NO <EXCLAMATIONPOINT>", "en", "what no"),
    ("<MUSIC>", "en", None),
    ("[laughter] yes", "en", "yes"),
    ("{laughter} ok", "en", "laughter ok"),
    ("<unk> yes", "en", "yes"),
    ("[noise]", "en", None),
    ("uh-huh", "en", "uh huh"),
    ("rock & roll", "en", "rock and roll"),
    ("&amp; then", "en", "and then"),
    ("5 o'clock", "en", "five o'clock"),
    ("'til", "en", "til"),
    ("y'all", "en", "y'all"),
    ("naïve café", "en", "naive cafe"),
    ("½ cup", "en", "one half cup"),
    ("50/50", "en", "fifty fifty"),
    ("2nd-hand", "en", "second hand"),
    ("1st-3rd", "en", "first third"),
    ("order 029049021748", "en", "order oh two nine oh four nine oh two one seven four eight"),
    ("$100,000", "en", "one hundred thousand dollars"),
    ("100,000 people", "en", "one hundred thousand people"),
    ("5'10", "en", "five foot ten"),
    ("9-to-5", "en", "nine to five"),
    ("90s", "en", "nineties"),
    ("1:05", "en", "one o five"),
    ("room 101", "en", "room one hundred and one"),
]

AUDITED = [
    # powers, dashes, circles
    ("10³", "zh", "十的三次方"),
    ("5²", "zh", "五的平方"),
    ("2^10", "zh", "二的十次方"),
    ("1—2天", "zh", "一到两天"),
    ("二○二四年", "zh", "二零二四年"),
    ("○○公司", "zh", "公司"),
    # numbers that are names
    ("911事件", "zh", "九一一事件"),
    ("911个事件", "zh", "九百一十一个事件"),
    ("618大促", "zh", "六一八大促"),
    ("61儿童节", "zh", "六一儿童节"),
    ("61个儿童", "zh", "六十一个儿童"),
    ("99乘法表", "zh", "九九乘法表"),
    ("985高校", "zh", "九八五高校"),
    ("100高校", "zh", "一百高校"),
    ("301医院", "zh", "三零幺医院"),
    ("307路公交", "zh", "三零七路公交"),
    ("12路公交", "zh", "十二路公交"),
    ("波音737", "zh", "波音七三七"),
    ("1米75", "zh", "一米七五"),
    ("100米11秒", "zh", "一百米十一秒"),
    # accounts, addresses, telephones
    ("QQ:12345678", "zh", "qq 幺二三四五六七八"),
    ("电话是87654321", "zh", "电话是八七六五四三二幺"),
    ("身份证11010119900307123X", "zh", "身份证幺幺零幺零幺幺九九零零三零七幺二三 x"),
    ("zhang@163.com", "zh", "zhang at 幺六三 dot com"),
    ("+86 138 0013 8000", "zh", "八六幺三八零零幺三八零零零"),
    ("+8613800138000", "zh", "八六幺三八零零幺三八零零零"),
    ("v1.2.3", "zh", "v 一点二点三"),
    ("x+y=5", "zh", "x 加 y 等于五"),
    # units
    ("220V", "zh", "两百二十伏"),
    ("1500W", "zh", "一千五百瓦"),
    ("3W", "zh", "三 w"),
    ("7nm芯片", "zh", "七纳米芯片"),
    ("甚麼", "zh", "什么"),
    ("牠們", "zh", "它们"),
    # English
    ("10²", "en", "ten squared"),
    ("10^6", "en", "ten to the power of six"),
    ("9/11", "en", "nine eleven"),
    ("5-6pm", "en", "five to six pm"),
    ("9:30am-5pm", "en", "nine thirty am to five pm"),
    ("2020-05-01", "en", "the first of may twenty twenty"),
    ("Jan. 5", "en", "january fifth"),
    ("DEC 25 1999", "en", "december twenty fifth nineteen ninety nine"),
    ("5 Mar 2020", "en", "the fifth of march twenty twenty"),
    ("mar the surface", "en", "mar the surface"),
    ("$5-$10", "en", "five to ten dollars"),
    ("$10/hr", "en", "ten dollars per hour"),
    ("5¢", "en", "five cents"),
    ("C#", "en", "c sharp"),
    ("±5", "en", "plus or minus five"),
    ("mid-20s", "en", "mid twenties"),
    ("mid-1980s", "en", "mid nineteen eighties"),
    ("+1 555 123 4567", "en", "one five five five one two three four five six seven"),
    ("5 m²", "en", "five square meters"),
    ("2 hrs", "en", "two hours"),
    ("16oz", "en", "sixteen ounces"),
    # noises
    ("{NOISE} so {COUGH} yes", "en", "so yes"),
    ("(Laughter) thank you (Applause)", "en", "thank you"),
    ("(you know) yes", "en", "you know yes"),
    ("%HESITATION well", "en", "well"),
]

CANTONESE = [
    # characters of written Cantonese stay; traditional ones are simplified like all others
    ("佢哋喺度食嘢", "佢哋喺度食嘢"),
    ("我嘅書唔見咗", "我嘅书唔见咗"),
    ("嗰個人好靚", "嗰个人好靓"),
    ("乜嘢嚟㗎", "乜嘢嚟㗎"),
    ("係咪呀", "系咪呀"),
    ("噚日", "噚日"),
    ("唔係喎", "唔系喎"),
    ("裏面冇人", "里面冇人"),
    ("衞生署", "卫生署"),
    ("鍾意食麪包", "钟意食面包"),
    ("搭𨋢上3樓", "搭𨋢上三楼"),
    ("等咗2個鐘", "等咗两个钟"),
    ("2024年5月1號", "二零二四年五月一号"),
    ("俾咗$100", "俾咗一百美元"),
    ("佢做緊 project", "佢做紧 project"),
]

CODE_SWITCH = [
    ("我买了iPhone 15 Pro手机", "我买了 iphone fifteen pro 手机"),
    ("用Windows 11系统", "用 windows 十一系统"),
    ("这个project有3个bug", "这个 project 有三个 bug"),
    ("meeting在3:30开始", "meeting 在三点三十分开始"),
    ("deadline是5月1日", "deadline 是五月一日"),
    ("R&D部门", "r and d 部门"),
    ("发到a@b.com", "发到 a at b dot com"),
    ("我的room number是502", "我的 room number 是五百零二"),
    ("打9折的coupon", "打九折的 coupon"),
    ("去7-11买水", "去七到十一买水"),
    ("下载app要5G", "下载 app 要五 g"),
    ("版本v2.0 beta", "版本 v 二点零 beta"),
]


CASES = [
    *WITHOUT_NUMBERS,
    *WITH_NUMBERS,
    *FURTHER_CHINESE,
    *FURTHER_ENGLISH,
    *AUDITED,
    *((text, "yue", expected) for text, expected in CANTONESE),
    *((text, "zh-en", expected) for text, expected in CODE_SWITCH),
]


@pytest.mark.parametrize(("text", "language", "expected"), CASES)
def test_normalise(text, language, expected):
    if expected is None:
        with pytest.raises(TextError) as caught:
            normalise(text, language)
        assert caught.value.reason == "empty after normalising"
    else:
        assert normalise(text, language) == expected
        assert normalise(expected, language) == expected


@pytest.mark.parametrize("language", ["fr", "", "ZH", "zh_cn", "english"])
def test_unknown_language_is_named(language):
    with pytest.raises(TextError, match=repr(language)) as caught:
        normalise("你好", language)
    assert caught.value.reason == "unknown language"


LANGUAGES = st.sampled_from(["zh", "en", "zh-en", "yue"])
CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("你好乾著裏〇 ab'-.,<>[]Éßが")
# Numbers and symbols cost 1-100 ms each, so that they get fewer examples.
NUMBERS = st.text(st.sampled_from("0123456789.%$€+-=/:,&@ aK我个年½²"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.text(CHARACTERS.filter(lambda c: not stretches.SPOKEN.search(module._plain(c))), max_size=20), LANGUAGES)
def test_normalising_twice_changes_nothing(text, language):
    assert_canonical(text, language)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, LANGUAGES)
def test_normalising_numbers_twice_changes_nothing(text, language):
    assert_canonical(text, language)


def assert_canonical(text, language):
    try:
        once = normalise(text, language)
    except TextError as error:
        assert error.reason == "empty after normalising"
        return
    assert all(normalise(once, other) == once for other in ("zh", "en", "zh-en"))
    assert once == " ".join(once.split())
    assert not any(c.isdigit() or c.isupper() for c in once if c.lower() != c or c.isdecimal())


def test_digits_that_no_rule_reads_are_read_one_by_one(monkeypatch):
    class Broken:
        def normalize(self, text):
            raise ValueError("Unable to compile")

    wetext.fst_reading.cache_clear()
    monkeypatch.setattr(wetext, "normaliser", lambda language: Broken())
    try:
        assert normalise("我有1.2.3.4.5个", "zh") == "我有一二三四五个"
        assert normalise("room 3|0", "en") == "room three zero"
    finally:
        wetext.fst_reading.cache_clear()


def test_plain_text_loads_no_rules():
    code = (
        "import sys; from earmark.text.normalise import normalise;"
        "from earmark.text.phonemes import Phonemizer; light = set(sys.modules);"
        "assert normalise('銀行, don’t', 'zh-en') == \"银行 don't\";"
        "assert not {'opencc', 'pypinyin', 'phonemizer'} & light, light;"
        "assert not {'tn', 'pynini'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_cache_folder_follows_the_user_s_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wetext.cache_dir() == tmp_path / "earmark"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert wetext.cache_dir() == tmp_path / ".cache" / "earmark"


def test_a_slower_process_takes_the_rules_that_a_faster_one_built(tmp_path):
    folder = tmp_path / "rules"

    def build(built):
        built.mkdir()
        (built / "mine").touch()
        folder.mkdir()
        (folder / "theirs").touch()

    wetext.build_whole(folder, build)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["rules", "theirs"]


def test_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="XDG_CACHE_HOME"):
        wetext.chinese(tmp_path / "file" / "rules")


@pytest.mark.slow
def test_chinese_rules_are_built_once_and_whole(tmp_path):
    folder = tmp_path / "rules"
    wetext.chinese(folder)
    built = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert set(built) == {"zh_tn_tagger.fst", "zh_tn_verbalizer.fst"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["rules"]
    assert wetext.chinese(folder).normalize("玩儿2天") == "玩儿两天"
    assert built == {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", ["你", "好"]),
        ("don't stop", ["don't", "stop"]),
        ("打开 the window 好吗", ["打", "开", "the", "window", "好", "吗"]),
        ("привет 好", ["привет", "好"]),
        ("𠀀a", ["𠀀", "a"]),
        ("", []),
    ],
)
def test_tokens_are_characters_and_words(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", [("zh", "你好")]),
        ("hello big world", [("en", "hello big world")]),
        ("打开 the window 好吗", [("zh", "打开"), ("en", "the window"), ("zh", "好吗")]),
        ("don't 停", [("en", "don't"), ("zh", "停")]),
        ("hello привет world", [("en", "hello"), ("und", "привет"), ("en", "world")]),
        ("a3 b", [("und", "a3"), ("en", "b")]),
        ("3个", [("und", "3"), ("zh", "个")]),
        ("", []),
    ],
)
def test_script_runs(text, expected):
    assert script_runs(text) == expected
