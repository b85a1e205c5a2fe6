"""The function to maximize: train a network on handwritten digits, report each epoch.

A training that is interrupted continues after its last epoch when its evaluation runs again.
"""

import os

# Before Keras is imported: no banners, and sums in one order, so that a run can be repeated.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from deephyper import evaluation
from deephyper.callbacks import KerasReport

EPOCHS = 20


def build_model(point):
    """Return a compiled perceptron with one hidden layer."""
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            keras.layers.Dense(point["units"], activation=point["activation"]),
            keras.layers.Dropout(point["dropout"]),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=point["learning_rate"]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def run(point):
    """Return the validation accuracy after the last epoch, and the loss as a further metric."""
    keras.utils.set_random_seed(evaluation.seed)
    X, y = load_digits(return_X_y=True)
    train_X, valid_X, train_y, valid_y = train_test_split(X / 16, y, test_size=0.3, random_state=0)
    history = (
        build_model(point)
        .fit(
            train_X,
            train_y,
            validation_data=(valid_X, valid_y),
            batch_size=int(point["batch_size"]),
            epochs=EPOCHS,
            callbacks=[KerasReport("val_accuracy", metrics=["val_loss"])],
            verbose=0,
        )
        .history
    )
    return {"objective": history["val_accuracy"][-1], "val_loss": history["val_loss"][-1]}


if __name__ == "__main__":
    point = {
        "units": 32,
        "activation": "relu",
        "dropout": 0.2,
        "learning_rate": 0.001,
        "batch_size": 32,
    }
    print(run(point))
