"""The function to maximize: train a small network, return its validation R2."""

import os

# Before Keras is imported: no banners, and sums in one order, so that a run can be repeated.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras

if __package__:  # imported as a part of a package
    from .load_data import load_data
else:  # run as a script, or loaded from its path
    from load_data import load_data


def build_model(point, n_inputs):
    """Return a compiled perceptron with one hidden layer."""
    activation = None if point["activation"] == "identity" else point["activation"]
    model = keras.Sequential(
        [
            keras.Input(shape=(n_inputs,)),
            keras.layers.Dense(point["units"], activation=activation),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=point["lr"]),
        loss="mse",
        metrics=[keras.metrics.R2Score(name="r2")],
    )
    return model


def train(point, epochs=40, patience=5):
    """Train the model of a point; return a dict of lists with one number an epoch."""
    keras.utils.set_random_seed(42)  # the same point gives the same objective
    (train_X, train_y), valid = load_data()
    model = build_model(point, n_inputs=train_X.shape[1])
    stop_early = keras.callbacks.EarlyStopping(
        monitor="val_r2", mode="max", patience=patience, min_delta=0.001
    )
    history = model.fit(
        train_X,
        train_y,
        validation_data=valid,
        batch_size=256,
        epochs=epochs,
        callbacks=[stop_early, keras.callbacks.TerminateOnNaN()],
        verbose=0,
    )
    return history.history


def run(point):
    """Return the objective of a point: the best validation R2 of its training."""
    return float(max(train(point)["val_r2"]))


if __name__ == "__main__":
    point = {"activation": "identity", "lr": 0.01, "units": 10}
    print("objective:", run(point))
