"""Tags, group and note in a domain's metadata, beside what others have written there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.model.domain import UNLABELLED, Labels
from tuivirt.backend.xml.domain import parse_domain, skim_domain
from tuivirt.backend.xml.labels import NAMESPACE, read_own, written
from tuivirt.backend.xml.pending import pending
from tuivirt.backend.xml.tree import parse

OURS = f"""<t:labels xmlns:t="{NAMESPACE}"><!-- by hand --><t:tag>web</t:tag>
  <t:tag> prod </t:tag><t:tag>WEB</t:tag><t:tag>two words</t:tag><t:tag/>
  <t:group>shop</t:group><t:note>one
two &lt;b&gt;</t:note><t:later at="1">kept</t:later></t:labels>"""
LABELS = Labels(("web", "prod", "two_words"), "shop", "one\ntwo <b>")
THEIRS = '<their:thing xmlns:their="http://their.org/1"><their:tag>no</their:tag></their:thing>'


def domain(metadata: str) -> str:
    return f"<domain type='kvm'><name>a</name><metadata>{metadata}</metadata></domain>"


def test_labels_are_read_whoever_looks_and_wherever_they_stand() -> None:
    for xml in (domain(OURS), domain(THEIRS + OURS), domain(OURS + THEIRS)):
        assert parse_domain(xml).labels == skim_domain(xml).labels == LABELS


def test_a_domain_without_them_has_the_one_record_of_none() -> None:
    empty = f'<t:labels xmlns:t="{NAMESPACE}"/>'
    for xml in (domain(THEIRS), domain(""), domain(empty), "<domain><name>a</name></domain>"):
        assert skim_domain(xml).labels is UNLABELLED


def test_the_element_alone_is_read_as_libvirt_gives_it_without_its_namespace() -> None:
    assert read_own("") is UNLABELLED
    assert read_own(OURS.replace("t:", "").replace(":t=", "=")) == LABELS
    assert read_own("<labels><tag>web</tag></labels>") == Labels(("web",))


def test_what_a_later_version_has_written_is_kept_and_comments_too() -> None:
    after = written(OURS, Labels(("db",)))
    assert read_own(after) == Labels(("db",))
    assert '<t:later at="1">kept</t:later>' in after
    assert "by hand" in after


def test_of_an_element_with_nothing_left_in_it_nothing_is_kept() -> None:
    assert written("<labels>\n  <tag>web</tag>\n</labels>\n", UNLABELLED) == ""
    assert written("", UNLABELLED) == ""
    assert written(OURS, UNLABELLED) != ""


TEXT = st.text(
    st.characters(
        min_codepoint=32, exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
).map(lambda text: " ".join(text.split()))
LINES = st.lists(TEXT.filter(bool)).map("\n".join)


@given(TEXT, LINES)
def test_what_is_written_is_read(group: str, note: str) -> None:
    labels = Labels(("a&b", "<x>", "名"), group, note)
    text = written("", labels)
    parse(text, "labels")
    assert read_own(text) == labels


def test_labels_that_only_the_saved_configuration_has_wait_for_the_next_boot() -> None:
    bare, labelled = parse_domain(domain("")), parse_domain(domain(OURS))
    assert pending(bare, labelled) == ("tags #web #prod #two_words", "group shop", "note")
    assert pending(labelled, bare) == ("no tags", "no group", "note")
    assert pending(labelled, labelled) == ()
