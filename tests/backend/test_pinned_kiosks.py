"""Keys are pinned for one kiosk or a thousand: in one transaction, all or none."""

import json

import pytest
from backend import kiosks
from backend.commands import main
from backend.failures import BackendError, UsageError
from backend_parts import Kiosk, count, flaws, look_over, put, put_raw


def several(many: int) -> list[Kiosk]:
    return [Kiosk(f"lakeside/g3/north-{number}") for number in range(many)]


def pinned(store) -> int:
    row = store.execute("SELECT count(*) FROM kiosks WHERE signing_key IS NOT NULL").fetchone()
    assert row is not None
    return int(row[0])


def test_a_thousand_are_pinned_at_once(store, dsn, tmp_path, capsys):
    made = several(1000)
    file = tmp_path / "all.json"
    file.write_text(json.dumps([one.keys() for one in made]))
    assert main(["kiosks", "pin", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[999] == "pinned: lakeside/g3/north-999"
    assert pinned(store) == 1000
    assert main(["kiosks", "pin", str(file)]) == 0
    assert count(store, "kiosks") == 1000


def test_one_at_fault_keeps_all_out_and_is_named(store):
    shown = [one.keys() for one in several(5)]
    shown[1]["kiosk"] = "lakeside"
    shown[2]["signing"]["public"] = "AAAA"
    shown.append({**shown[4], "signing": shown[0]["signing"]})
    with pytest.raises(UsageError) as caught:
        kiosks.pin_all(store, shown)
    assert str(caught.value).splitlines()[1:-1] == [
        "  2: no kiosk",
        "  3: lakeside/g3/north-2: no public keys",
        "  6: lakeside/g3/north-4: comes twice, with other keys",
    ]
    assert count(store, "kiosks") == 0
    assert len(kiosks.pin_all(store, [shown[0], shown[0], shown[3]])) == 2


def test_other_keys_are_named_and_nothing_is_pinned(store):
    made = several(4)
    kiosks.pin_all(store, [one.keys() for one in made[:2]])
    others = [Kiosk(one.place) for one in made]
    with pytest.raises(BackendError) as caught:
        kiosks.pin_all(store, [one.keys() for one in others])
    assert str(caught.value).splitlines()[1:-1] == [f"  {one.place}" for one in made[:2]]
    assert pinned(store) == 2
    kiosks.pin_all(store, [one.keys() for one in others], replace=True)
    former = store.execute("SELECT kiosk, cardinality(former_keys) FROM kiosks ORDER BY 1")
    assert [tuple(row) for row in former] == [
        (one.place, int(number < 2)) for number, one in enumerate(made)
    ]


def test_what_was_said_before_is_held_against_each(store):
    made = several(3)
    for one in made:
        put(store, *one.several(3), one.checkpoint())
        keys = (made[0] if one is made[2] else one).keys()
        put_raw(
            store, (f"gate/{one.place}/keys", json.dumps({**keys, "kiosk": one.place}).encode())
        )
    look_over(store)
    kiosks.pin_all(store, [one.keys() for one in made])
    look_over(store)
    assert store.execute("SELECT signed_to FROM streams ORDER BY id").fetchall() == [(3,)] * 3
    assert flaws(store) == [("key_differs", 0)]
