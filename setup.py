"""Lists the packages, which setup.cfg cannot: folders beside `framework` become packages inside it."""

from setuptools import find_packages, setup

SHIPPED_FOLDERS = ("templates", "schemas", "pipelines")

setup(
    packages=[
        *find_packages(include=["framework", "framework.*"]),
        *(f"framework.{folder}" for folder in SHIPPED_FOLDERS),
    ],
    package_dir={
        "framework": "framework",
        **{f"framework.{folder}": folder for folder in SHIPPED_FOLDERS},
    },
)
