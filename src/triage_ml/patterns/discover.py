"""Find groups of texts that mean the same, without being told how many there are.

Two steps, because one number can't do both. First many small, tight groups: each text is joined to its nearest neighbours
by exact cosine, distances are scaled to what is near *there*, as UMAP does it (McInnes et al. 2018, section 3.1), and
communities of that graph maximise modularity (Blondel et al. 2008) at a resolution that grows with the data, so that a
small group has a dozen texts whatever their number. Modularity alone can't say which of them belong together: its right
resolution depends on the size of the data and on how uneven the groups are. The mean cosine between the texts of two groups
does not. So the small groups are joined, most alike first, as long as that mean is at least `ALIKE` (average linkage, Sokal
and Michener 1958). One constant holds for half the texts, twice as many, and a Zipf tail (experiments/0401-pattern-quality).

Nothing here is random but the seeds, which are fixed, and nothing depends on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = [
    "Discovery",
    "centroids_of",
    "communities",
    "discover",
    "join_alike",
    "mean_vectors",
    "neighbour_graph",
    "sums_of",
]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

NEIGHBOURS = 12
RELATED = 0.2
BLOCK = 2_048

#: Texts for each unit of the resolution of the first step, and the lowest resolution.
TEXTS_A_UNIT = 128
COARSEST = 8.0

#: Mean cosine between the texts of two groups from which they are one, where there is nothing but the text.
ALIKE = 0.22


@dataclass(frozen=True)
class Discovery:
    """Groups of texts.

    Attributes
    ----------
    labels
        Shape (n,), the group of each text; 0 has the most tickets.
    parts
        Shape (n,), the small tight group that it is in; each lies within one group.
    """

    labels: IntArray
    parts: IntArray


def discover(vectors: FloatArray, weights: IntArray, *, alike: float = ALIKE) -> Discovery:
    """Group unit vectors of shape (n, d); `weights` of shape (n,) are tickets, and only order the groups."""
    if len(vectors) <= 2:
        alone = np.arange(len(vectors), dtype=np.int64)
        return Discovery(alone, alone)
    parts = communities(neighbour_graph(vectors), max(COARSEST, len(vectors) / TEXTS_A_UNIT))
    labels = _largest_first(_settle(vectors, join_alike(vectors, parts, alike)), weights)
    pairs: IntArray = np.unique(np.stack([labels, parts]), axis=1, return_inverse=True)[1].astype(np.int64).ravel()
    return Discovery(labels, pairs)


def neighbour_graph(vectors: FloatArray, neighbours: int = NEIGHBOURS) -> sparse.csr_array:
    """Symmetric weights in (0, 1] between near texts, shape (n, n).

    With d the cosine distance, the weight of a directed edge is exp(-(d - nearest) / (mean - nearest)) over a text's own
    neighbours, and the two directions are joined as a fuzzy union a + b - ab. Texts with a cosine below `RELATED` are not
    joined: a text that is like no other one stays alone.
    """
    count = min(neighbours, len(vectors) - 1)
    index, similarity = _nearest(vectors, count)
    distance = np.maximum(1.0 - similarity, 0.0)
    beyond = distance - distance[:, :1]
    weights = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True), 1e-3))
    weights[similarity < RELATED] = 0.0
    starts = np.arange(0, len(vectors) * count + 1, count)
    directed = sparse.csr_array((weights.ravel(), index.ravel(), starts), shape=(len(vectors), len(vectors)))
    directed.eliminate_zeros()
    directed.sum_duplicates()
    back = directed.T.tocsr()
    return sparse.csr_array(directed + back - directed.multiply(back))


def communities(graph: sparse.csr_array, resolution: float) -> IntArray:
    """Labels of shape (n,) that maximise modularity at this resolution, by Louvain with a fixed seed; without any edge
    each stands alone."""
    if not graph.nnz:
        return np.arange(graph.shape[0], dtype=np.int64)
    from sknetwork.clustering import Louvain

    louvain = Louvain(resolution=resolution, modularity="newman", random_state=0, return_probs=False)
    labels: IntArray = louvain.fit_predict(sparse.csr_matrix(graph)).astype(np.int64)
    return labels


def centroids_of(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Unit centroids of shape (groups, d)."""
    sums = _sums(vectors, labels)
    units: FloatArray = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return units


def mean_vectors(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """The mean of each group, shape (groups, d); the less its texts are alike, the shorter."""
    means: FloatArray = _sums(vectors, labels) / np.bincount(labels).astype(np.float32)[:, None]
    return means


def join_alike(vectors: FloatArray, parts: IntArray, alike: float) -> IntArray:
    """Labels of shape (n,): parts joined, most alike first, while the mean cosine between two groups is at least `alike`.

    The mean over all pairs of texts of two groups is the product of their sums over the product of their sizes, so it is
    exact and costs no pairs.
    """
    sums = _sums(vectors, parts).astype(np.float64)
    size = np.bincount(parts).astype(np.float64)
    product = sums @ sums.T
    likeness = product / np.outer(size, size)
    np.fill_diagonal(likeness, -np.inf)
    group = np.arange(len(size))
    while len(size) > 1:
        keep, gone = divmod(int(likeness.argmax()), len(size))
        if likeness[keep, gone] < alike:
            break
        product[keep] += product[gone]
        product[:, keep] += product[:, gone]
        size[keep] += size[gone]
        group[group == gone] = keep
        likeness[gone] = likeness[:, gone] = -np.inf
        open_rows = np.isfinite(likeness[keep]) & (np.arange(len(size)) != gone)
        likeness[keep, open_rows] = product[keep, open_rows] / (size[keep] * size[open_rows])
        likeness[open_rows, keep] = likeness[keep, open_rows]
    joined: IntArray = np.unique(group[parts], return_inverse=True)[1].astype(np.int64)
    return joined


def _nearest(vectors: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """Indices and cosines of the `count` nearest others, nearest first; ties go to the lower index."""
    index = np.empty((len(vectors), count), dtype=np.int64)
    similarity = np.empty((len(vectors), count), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK] @ vectors.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -2.0
        near = np.sort(np.argpartition(-block, count - 1, axis=1)[:, :count], axis=1)
        found = np.take_along_axis(block, near, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        index[start : start + len(block)] = np.take_along_axis(near, order, axis=1)
        similarity[start : start + len(block)] = np.take_along_axis(found, order, axis=1)
    return index, similarity


def _settle(vectors: FloatArray, labels: IntArray) -> IntArray:
    """Move every text to its nearest centroid once, so that groups are what assignment will later make of them."""
    centroids = centroids_of(vectors, labels)
    nearest = [(vectors[start : start + BLOCK] @ centroids.T).argmax(axis=1) for start in range(0, len(vectors), BLOCK)]
    settled: IntArray = np.unique(np.concatenate(nearest), return_inverse=True)[1].astype(np.int64)
    return settled


def sums_of(vectors: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """The sum of the vectors of each group, shape (groups, d)."""
    ones = np.ones(len(labels), dtype=np.float32)
    members = sparse.csr_array((ones, (labels, np.arange(len(labels)))), shape=(groups, len(labels)))
    return np.asarray(members @ vectors, dtype=np.float32)


def _sums(vectors: FloatArray, labels: IntArray) -> FloatArray:
    return sums_of(vectors, labels, int(labels.max()) + 1)


def _largest_first(labels: IntArray, weights: IntArray) -> IntArray:
    volume = np.bincount(labels, weights=weights)
    first = np.full(len(volume), len(labels))
    np.minimum.at(first, labels, np.arange(len(labels)))
    rank = np.empty(len(volume), dtype=np.int64)
    rank[np.lexsort((first, -volume))] = np.arange(len(volume))
    return rank[labels]
