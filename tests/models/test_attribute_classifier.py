import torch

from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.frozen import freeze


def test_six_convolutions_end_in_4x4x256():
    classifier = AttributeClassifier()
    assert len(classifier.convolutions) == 6
    assert classifier.fc_1.in_features == 4 * 4 * 256
    assert classifier(torch.rand(2, 1, 224, 224)).shape == (2,)


def test_dropout_acts_in_training_and_is_gone_when_frozen():
    torch.manual_seed(0)
    classifier = AttributeClassifier().train()
    X = torch.rand(1, 1, 224, 224)
    assert classifier(X).item() != classifier(X).item()
    frozen = freeze(classifier)
    assert frozen(X).item() == frozen(X).item()


def test_gradients_flow_through_a_frozen_classifier_to_the_image_only():
    frozen = freeze(AttributeClassifier())
    X = torch.rand(1, 1, 224, 224, requires_grad=True)
    frozen(X).sum().backward()
    assert X.grad is not None
    assert X.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in frozen.parameters())
