"""The tables that benchmarks print."""

from collections import Counter

from benchmarks.report import LatencySample, PeerSample, latency_table, peer_lines


def sample(profile: str, feeds: int, seconds: float, polls: int) -> LatencySample:
    s3_calls = Counter(GetObject=2 * feeds, ListObjectsV2=3 * feeds + 1)
    data_api_calls = Counter(ExecuteStatement=1, BatchExecuteStatement=2 * feeds, DescribeStatement=polls)
    return LatencySample(profile, feeds, seconds, s3_calls, data_api_calls, sub_statements=30 * feeds + 1)


def test_latency_is_in_seconds_of_an_invocation_and_counts_of_a_load() -> None:
    samples = [sample("aws", 1, 3.0, 8), sample("aws", 40, 20.0, 320), sample("aws", 1, 4.0, 9)]
    samples.append(sample("aws", 1, 9.0, 9))

    headings, found = latency_table(samples)

    assert headings == ["a load", "aws, 1 feed", "aws, 40 feeds"]
    assert found == [
        ("seconds", "4.00", "20.00"),
        ("S3 calls", "6", "5.025"),
        ("Data API calls", "12", "10.025"),
        ("submissions", "3", "2.025"),
        ("sub-statements", "31", "30.025"),
        ("GetObject", "2", "2"),
        ("ListObjectsV2", "4", "3.025"),
        ("BatchExecuteStatement", "2", "2"),
        ("DescribeStatement", "9", "8"),
        ("ExecuteStatement", "1", "0.025"),
    ]


def test_peers_are_compared_by_the_median_of_the_ratios() -> None:
    seconds = [(1.0, 2.0), (9.0, 3.0), (2.0, 2.0)]
    samples = [PeerSample(1, 200_000, "upsert", ours, theirs) for ours, theirs in seconds]
    samples.append(PeerSample(40, 1000, "upsert", 6.0, 4.0))

    assert peer_lines(samples) == [
        ("1", "200,000", "upsert", "2.00", "2.00", "1.00"),
        ("40", "1,000", "upsert", "6.00", "4.00", "1.50"),
    ]
