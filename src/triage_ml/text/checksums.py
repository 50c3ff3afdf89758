"""Check digits: what tells a card or an account from any other long number."""

from __future__ import annotations

__all__ = ["dni_holds", "iban_holds", "luhn_holds", "nir_holds"]

# Of the countries whose accounts a European or American desk meets; lengths from the IBAN registry.
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def luhn_holds(text: str) -> bool:
    """Payment cards (ISO/IEC 7812-1): every second digit from the right doubled, the sum a multiple of ten.

    >>> luhn_holds("4111 1111 1111 1111"), luhn_holds("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(char) for char in reversed(text) if char.isdecimal()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def iban_holds(text: str) -> bool:
    """Bank accounts (ISO 13616): the length that the country has, and remainder 1 modulo 97.

    For the remainder the first four characters move to the end and letters count as 10 to 35.

    >>> iban_holds("DE89 3704 0044 0532 0130 00"), iban_holds("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    compact = text.replace(" ", "").upper()
    if len(compact) != _IBAN_LENGTHS.get(compact[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def dni_holds(text: str) -> bool:
    """Spanish identity numbers: the letter is the number modulo 23; X, Y and Z of a NIE stand for 0, 1 and 2.

    >>> dni_holds("12345678Z"), dni_holds("X1234567L"), dni_holds("12345678A")
    (True, True, False)
    """
    compact = text.replace("-", "").upper()
    number = compact[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _DNI_LETTERS[int(number) % 23] == compact[-1]


def nir_holds(text: str) -> bool:
    """French social security numbers: the last two digits are 97 minus the rest modulo 97; Corsica's 2A is 19, 2B is 18.

    >>> nir_holds("2 55 08 14 168 025 38"), nir_holds("2 55 08 14 168 025 39")
    (True, False)
    """
    compact = text.replace(" ", "").upper().replace("2A", "19").replace("2B", "18")
    if not compact.isdecimal():
        return False
    return 97 - int(compact[:-2]) % 97 == int(compact[-2:])
