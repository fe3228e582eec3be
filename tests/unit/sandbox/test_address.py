from pathlib import Path

from framework.sandbox import Ports, SandboxAddress

FOLDER = Path("/projects/my own/.sandbox")
ADDRESS = SandboxAddress(
    folder=FOLDER,
    s3_folder=FOLDER / "s3",
    s3_url="http://127.0.0.1:1",
    data_api_url="http://127.0.0.1:2",
    access_key="key",
    secret_key="secret",
    database_url="postgresql://awsuser:password@127.0.0.1:3/dev",
)


def test_boto3_finds_both_services() -> None:
    environment = ADDRESS.aws_environment()

    assert environment["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:1"
    assert environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"] == "http://127.0.0.1:2"


def test_only_ports_that_were_asked_for_are_asked_for() -> None:
    assert Ports(data_api=8000).asked() == {"data_api": 8000}
