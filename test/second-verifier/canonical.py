"""JSON as RFC 8785 (JCS) writes it, and JSON read as strictly as a bundle needs it."""

import json
import math

# Beyond this a double does not hold every integer (RFC 8785, section 3.2.2.3, and appendix D).
LARGEST_EXACT = 2**53


class NotJson(ValueError):
    """The bytes are no JSON, or what they spell has no canonical form."""


def no_constant(name):
    raise NotJson(f"{name} is no JSON")


def double(digits):
    # Every number is a double, and 1.0 is the same one as 1: a whole number is kept as Python's int.
    value = float(digits)
    return int(value) if abs(value) <= LARGEST_EXACT and value.is_integer() else value


DECODER = json.JSONDecoder(parse_constant=no_constant, parse_int=double, parse_float=double)


def parse(data):
    """What the bytes spell."""
    try:
        return DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def number(value):
    """A number as ECMAScript writes it (RFC 8785, section 3.2.2.3)."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise NotJson(f"{value} is no JSON")
    if value == 0:
        return "0"
    # Python's repr finds the same shortest digits; what differs is where it puts the point.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of `point`.
    point = int(exponent or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        text = digits + "0" * (point - n)
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        e = point - 1
        text = digits[0] + ("." + digits[1:] if n > 1 else "") + ("e+" if e >= 0 else "e-") + str(abs(e))
    return "-" + text if value < 0 else text


def string(value):
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotJson("a lone surrogate") from error
    return json.dumps(value, ensure_ascii=False)


def dumps(value):
    """The canonical text of a JSON value."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    # Names are sorted by UTF-16 code units (section 3.2.3).
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(string(name) + ":" + dumps(value[name]) for name in names) + "}"


def encoded(value):
    try:
        return dumps(value).encode("utf-8")
    except RecursionError as error:
        raise NotJson("nested too deep") from error
