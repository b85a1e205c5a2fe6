"""The function to maximize: cross-validated accuracy on scikit-learn's handwritten digits."""

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC

SCALING = {
    "none": "passthrough",
    "standard": StandardScaler(),
    "quantile": QuantileTransformer(n_quantiles=17, random_state=0),
}


def run(point):
    """Return the mean accuracy over five folds; hyperparameters that don't apply are absent."""
    model = make_pipeline(
        SCALING[point["scaling"]],
        PCA(point["components"], random_state=0),
        StandardScaler(),
        SVC(
            C=point["C"],
            kernel=point["kernel"],
            gamma=point.get("gamma", "scale"),
            degree=point.get("degree", 3),
        ),
    )
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    return float(cross_val_score(model, X, y, cv=folds).mean())


if __name__ == "__main__":
    point = {"scaling": "standard", "components": 32, "C": 1.0, "kernel": "linear"}
    print("objective:", run(point))
