"""Proofs a village must not issue (不应由村(社区)出具的证明). Source: 民发〔2020〕20号, the first twenty.

One rule: no item may ask for such a proof from a village committee, and no village screen prints one.
"""

import re
from types import MappingProxyType

FORBIDDEN_PROOFS = MappingProxyType(
    {
        "亲属关系": r"亲属关系|(父|母|夫|兄|姐)[子女妻弟妹]关系",
        "居民身份信息": r"身份信息|身份证明|同一人",
        "户口登记项目内容变更申请": r"户口登记项目|户口.{0,6}变更",
        "居民养犬": r"养犬|犬只",
        "无犯罪记录": r"犯罪|违法记录",
        "社区戒毒社区康复人员情况": r"戒毒|社区康复",
        "人员失踪": r"失踪",
        "婚姻状况": r"婚姻|未婚|已婚|离异|丧偶|单身",
        "出生": r"出生",
        "健在": r"健在|在世|生存",
        "死亡": r"死亡",
        "疾病状况": r"疾病|病情|患病",
        "残疾状况": r"残疾",
        "婚育状况": r"婚育|生育",
        "居民就业状况": r"就业|失业|待业",
        "居民个人档案": r"档案",
        "居民财产": r"财产|存款|房产|收入",
        "遗产继承权": r"继承|遗产",
        "市场主体住所": r"住所|经营场所",
        "证件遗失": r"(遗失|丢失)",
    }
)
"""The name in the notice, and the words by which a title is recognised."""

_VILLAGE = re.compile(
    r"村委会|居委会|村民委员会|居民委员会|村[(（]居[)）]|村[(（]社区[)）]|^(村|社区)$|村级|社区出具"
)
_PROOF = re.compile(r"证明|情况说明|关系书|声明")


def forbidden_proof(title: str) -> str | None:
    """The forbidden proof that `title` asks a village for, by its name in the notice; None if it is none.

    Only titles that are proofs (…证明, …情况说明) are looked at: resolutions, maps and lists are not.
    """
    if not _PROOF.search(title):
        return None
    return next((name for name, words in FORBIDDEN_PROOFS.items() if re.search(words, title)), None)


def is_village_source(source: str) -> bool:
    """Whether a material's source is a village or residents' committee (村(居)委会)."""
    return bool(_VILLAGE.search(source))
