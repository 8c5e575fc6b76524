"""Classifiers that differ, their file, and the looks that they are shown."""

from pathlib import Path

import pytest
import torch

from sanmodel.augmentation import Augmentation
from sanmodel.errors import SanError
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.ensemble import MOST_MEMBERS, Glance, ensemble, load_classifiers
from sanmodel.models.varied_classifier import RECIPES, Recipe, VariedClassifier
from sanmodel.models.weights import save_weights
from sanmodel.settings import parse_settings


def save(path: Path, members: int) -> torch.nn.ModuleList:
    networks = ensemble(members).eval()
    about = {"kind": "classifier", "attribute": "Male", "members": str(members)}
    save_weights(path, networks.state_dict(), **about)
    return networks


def test_the_settings_admit_as_many_members_as_there_are_recipes():
    parse_settings({"train_classifier": {"members": MOST_MEMBERS}})
    with pytest.raises(SanError, match="train_classifier.members"):
        parse_settings({"train_classifier": {"members": MOST_MEMBERS + 1}})


def test_the_first_member_is_the_papers_and_no_two_are_built_alike():
    networks = ensemble(MOST_MEMBERS)
    assert isinstance(networks[0], AttributeClassifier)
    built = [[tuple(p.shape) for p in network.parameters()] for network in networks]
    looks = [(network.size, shapes) for network, shapes in zip(networks, built, strict=True)]
    assert all(looks[i] != looks[j] for i in range(MOST_MEMBERS) for j in range(i))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_classifies_crops_and_thumbnails(recipe: Recipe):
    network = VariedClassifier(recipe).eval()
    X = torch.rand(3, 1, 224, 224)
    assert network(X).shape == (3,)
    assert network(torch.rand(2, 1, recipe.size, recipe.size)).shape == (2,)


def test_a_file_gives_back_the_same_classifiers_frozen(tmp_path: Path):
    networks, X = save(tmp_path / "c.safetensors", 3), torch.rand(2, 1, 224, 224)
    loaded = load_classifiers(tmp_path / "c.safetensors", "Male")
    for before, after in zip(networks, loaded, strict=True):
        torch.testing.assert_close(before(X), after(X))
        assert not after.training
        assert not any(parameter.requires_grad for parameter in after.parameters())


def test_classifiers_of_another_attribute_or_of_fewer_members_are_refused(tmp_path: Path):
    path = tmp_path / "c.safetensors"
    save(path, 1)
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        load_classifiers(path, "Smiling")
    about = {"kind": "classifier", "attribute": "Male", "members": "2"}
    save_weights(path, ensemble(1).state_dict(), **about)
    with pytest.raises(SanError, match="does not fit 2 classifiers"):
        load_classifiers(path, "Male")
    for members in ("x", "0", "99"):
        save_weights(path, ensemble(1).state_dict(), **about | {"members": members})
        with pytest.raises(SanError, match=f"holds '{members}' classifiers, 1 to"):
            load_classifiers(path, "Male")


def test_a_look_is_the_same_where_the_classifier_computes_in_bfloat16():
    class Seen(torch.nn.Module):
        size = 64

        def forward(self, look: torch.Tensor) -> torch.Tensor:
            self.look = look
            return look.mean(dim=(1, 2, 3))

    seen, X, looks = Seen(), torch.rand(2, 1, 224, 224), []
    for mixed in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            Glance(seen, Augmentation())(X)
        looks.append(seen.look)
    assert torch.equal(*looks)


def test_a_glance_is_another_one_each_time_and_passes_gradients():
    torch.manual_seed(0)
    glance = Glance(VariedClassifier(RECIPES[0]).eval(), Augmentation())
    X = torch.rand(2, 1, 224, 224, requires_grad=True)
    first, second = glance(X), glance(X)
    assert not torch.equal(first, second)
    first.sum().backward()
    assert X.grad is not None
    assert X.grad.abs().sum() > 0
