"""Names of people: whether a text is made of given and family names, by dictionaries that need no network."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_LOCALES = (
    "en", "en_US", "en_GB", "en_IN", "es_MX", "es_ES", "es_CO", "es_AR", "pt_BR", "fr_FR", "it_IT", "de_DE", "pl_PL",
    "vi_VN", "en_NG", "en_KE", "en_PK",
)  # fmt: skip
# The most frequent Chinese, Korean, Vietnamese, Filipino, Arabic and Punjabi family names in Latin letters, which the
# dictionaries hold in other scripts or not at all.
_ROMANISED = frozenset(
    """wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin luo gao zheng liang xie tang deng feng
    cao peng zeng xiao tian dong yuan pan jiang cai yu du ye cheng wei su lu ding ren yao shen kim lee park choi jung
    kang cho yoon jang lim han oh seo shin kwon hwang ahn song hong jeon nguyen tran le pham phan vu vo dang bui do ngo
    duong ly dinh trinh huynh truong dela cruz santos reyes ramos mendoza bautista villanueva castro del rosario
    gonzales aquino ocampo tolentino manalo ahmed ali hussein hassan khan mohamed mohammed ibrahim saleh singh kaur
    gill sidhu dhillon sandhu grewal tanaka suzuki sato takahashi watanabe yamamoto nakamura kobayashi saito kato
    ito""".split()  # noqa: SIM905  # a list of words reads better so
)
_AROUND = frozenset("mr mrs ms dr jr sr ii iii iv de la del los las da dos van von der den el al bin y thi van".split())  # noqa: SIM905
_THINGS = frozenset(
    """st street ave av avenue blvd rd road dr drive ln lane ct court wy way pl place ter cir pkwy hwy sq park school
    elementary middle high center centre plaza church temple market store shop cafe restaurant inc llc corp co company
    ltd associates assoc partners group foundation trust bank hotel motel inn apartments apts homes village library
    hospital clinic station depot yard creek river lake hill hills valley canyon ridge grove garden gardens field
    trail bridge tower hall house building bldg district ward zone area tract county city town north south east west
    services service systems solutions supply auto repair grill pizza taqueria bakery salon dental plumbing electric
    construction roofing parque calle escuela iglesia tienda centro maple oak elm pine cedar birch""".split()  # noqa: SIM905
)


def is_name(text: str) -> bool:
    """Whether a text reads as a person's name: at most five words, names by the dictionaries, none that names a thing.

    Initials, titles and particles may stand among them. Of several words at least half must be known, for nobody's
    dictionary has every family name; one word alone must be known.

    Assumes:
        One text proves nothing: streets, parks and firms carry names of people. What counts is the share in a column.

    Source:
        Lists of given and family names of the Faker package (MIT licence), and frequent romanised family names.

    Example:
        >>> is_name("Nguyễn, Linh T."), is_name("MARIA DE LA CRUZ"), is_name("Lincoln Park"), is_name("pump is out")
        (True, True, False, False)
    """
    if len(text) > 60 or any(c.isdigit() for c in text) or "@" in text:
        return False
    words = [w for w in re.split(r"[\s,.\-/&]+", plain(text).replace("'", "")) if w]
    told = [w for w in words if len(w) > 1 and w not in _AROUND]
    if not told or len(words) > 5 or any(not w.isalpha() or w in _THINGS for w in words):
        return False
    known = sum(w in dictionary() for w in told)
    return known * 2 >= len(told) and known >= 1


def plain(text: str) -> str:
    """A text in small letters without accents.

    Example:
        >>> plain("Nguyễn Đức")
        'nguyen duc'
    """
    bare = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in bare if not unicodedata.combining(c)).casefold()


@cache
def dictionary() -> frozenset[str]:
    """Given and family names in small letters without accents; loaded when first asked for."""
    from faker.config import AVAILABLE_LOCALES  # only who classifies columns waits for its lists
    from faker.factory import Factory

    found: set[str] = set(_ROMANISED)
    for locale in sorted({*_LOCALES} & {*AVAILABLE_LOCALES}):
        for person in Factory.create(locale, ["faker.providers.person"]).get_providers():
            lists = [n for n in dir(person) if n.startswith(("first_names", "last_names"))]
            found |= {plain(name) for n in lists for name in getattr(person, n) if isinstance(name, str)}
    return frozenset(n for n in found if len(n) > 1)
