"""Random XML of domains, written as text so that quotes, blanks and line ends vary too."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "disk", "devices", "domain", "x:y", "qemu:arg", "名", "b-c.d_e"])
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        include_characters="\t\n\r\x85",
        exclude_characters="\ufffe\uffff",
    ),
    max_size=6,
)
BLANK = st.sampled_from(["", " ", "\n", "\n    ", "\r\n\t"])


def escaped(text: str, quote: str = "") -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
    return text.replace(quote, {"'": "&apos;", '"': "&#34;"}[quote]) if quote else text


@st.composite
def attributes(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(["dev", "q:n", "type", "属"]), unique=True, max_size=3))
    written = ""
    for name in names:
        quote = draw(st.sampled_from(["'", '"']))
        written += f"{draw(st.sampled_from([' ', '  ', chr(10)]))}{name}"
        written += (
            f"{draw(st.sampled_from(['=', ' = ']))}{quote}{escaped(draw(TEXT), quote)}{quote}"
        )
    return written


def leaf() -> st.SearchStrategy[str]:
    return st.one_of(
        TEXT.map(escaped),
        BLANK,
        TEXT.map(lambda t: f"<!--{t.replace('-', '~')}-->"),
        TEXT.map(lambda t: f"<![CDATA[{t.replace(']]>', '')}</devices>]]>"),
        TEXT.map(lambda t: f"<?note {t.replace('?>', '')} <disk> ?>"),
        st.builds(lambda n, a, b: f"<{n}{a}{b}/>", NAMES, attributes(), st.sampled_from(["", " "])),
    )


def parent(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda n, a, children: f"<{n}{a}>{''.join(children)}</{n}>",
        NAMES,
        attributes(),
        st.lists(inside, max_size=4),
    )


TREES = st.recursive(leaf(), parent, max_leaves=12)
DEVICES = st.lists(TREES, max_size=4).map("".join)
OTHERS = TREES.map(lambda t: t.replace("<devices", "<device_s").replace("</devices", "</device_s"))
HEAD = (
    "<domain type='kvm' xmlns:x='urn:x' xmlns:q='urn:q' "
    "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
)
