"""Changing a driver diagram box by box."""

import pytest

from projects import diagram
from projects.diagram import Box, DiagramError, Difference

BOXES = [
    Box("p1", "primary", "Risk found early"),
    Box("p2", "primary", "Risk acted on"),
    Box("s1", "secondary", "Everyone is asked", "p1"),
    Box("s2", "secondary", "Toilet plan", "p2"),
    Box("c1", "change_idea", "Six questions", "s1", ("s2",)),
]


def texts(boxes):
    return [box.text for box in diagram.in_order(boxes)]


def test_the_outline_reads_from_aim_to_idea_and_says_what_else_an_idea_serves():
    first, second = diagram.outline(BOXES)

    idea = first.under[0].under[0]
    assert (first.box.text, idea.box.text, idea.also) == ("Risk found early", "Six questions", ["Toilet plan"])
    assert [item.box.text for item in second.under] == ["Toilet plan"]


def test_a_box_is_added_under_the_one_chosen_with_a_key_of_its_own():
    boxes = diagram.added(BOXES, level="change_idea", text="  Night  light ", parent="s2")
    boxes = diagram.added(boxes, level="primary", text="Staff have time", parent="p1")

    assert [(box.key, box.text, box.parent) for box in boxes[5:]] == [
        ("n1", "Night light", "s2"),
        ("n2", "Staff have time", ""),
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"level": "secondary", "text": "X", "parent": ""}, "Choose the primary driver"),
        ({"level": "secondary", "text": "X", "parent": "s1"}, "Choose the primary driver"),
        ({"level": "change_idea", "text": "X", "parent": "p1"}, "Choose the secondary driver"),
        ({"level": "primary", "text": "  "}, "Enter the words"),
        ({"level": "primary", "text": "x" * 201}, "200 characters"),
    ],
)
def test_a_box_that_hangs_nowhere_or_says_nothing_is_refused(change, sentence):
    with pytest.raises(DiagramError, match=sentence):
        diagram.added(BOXES, **change)


def test_a_box_is_hung_under_another_one_and_linked_to_more():
    boxes = diagram.changed(BOXES, "c1", text="Seven questions", parent="s2", also=["s1", "s2", "p1", "zz"])

    assert boxes[4] == Box("c1", "change_idea", "Seven questions", "s2", ("s1",))


def test_moving_changes_places_among_the_boxes_under_the_same_one():
    assert texts(diagram.moved(BOXES, "p2", up=True))[0] == "Risk acted on"
    assert diagram.moved(BOXES, "p1", up=True) == BOXES
    assert diagram.moved(BOXES, "s1", up=False) == BOXES  # alone under its driver


def test_what_carries_others_is_not_removed_with_them_unseen():
    with pytest.raises(DiagramError, match="Six questions"):
        diagram.removed(BOXES, "s1")

    without = diagram.removed(BOXES, "c1")

    assert "Six questions" not in texts(without)


def test_links_to_a_removed_box_go_with_it():
    boxes = diagram.removed(BOXES, "s2")

    assert diagram.found(boxes, "c1").also == ()


def test_a_box_that_is_gone_is_a_sentence():
    with pytest.raises(DiagramError, match="no longer"):
        diagram.moved(BOXES, "x9", up=True)


def test_a_diagram_has_an_end():
    boxes = BOXES
    with pytest.raises(DiagramError, match="60 boxes"):
        for number in range(60):
            boxes = diagram.added(boxes, level="primary", text=str(number))


def test_the_differences_name_what_is_new_other_and_gone():
    after = diagram.removed(BOXES, "c1")
    after = diagram.changed(after, "s2", text="Toilet plan at night", parent="p2")
    after = diagram.added(after, level="primary", text="Staff have time")

    assert diagram.differences(BOXES, after) == [
        Difference("changed", "Secondary driver", "Toilet plan, under “Risk acted on”",
                   "Toilet plan at night, under “Risk acted on”"),
        Difference("added", "Primary driver", "", "Staff have time"),
        Difference("removed", "Change idea", "Six questions, under “Everyone is asked”, also serves “Toilet plan”", ""),
    ]  # fmt: skip


def test_a_new_order_alone_is_told():
    assert [line.level for line in diagram.differences(BOXES, diagram.moved(BOXES, "p2", up=True))] == ["Order"]
    assert diagram.differences(BOXES, BOXES) == []


def test_data_and_boxes_are_the_same_both_ways():
    assert diagram.from_data(diagram.to_data(BOXES)) == BOXES
