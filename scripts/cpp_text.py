"""C++ as text for scripts/tidy.py: enough structure for sizes and bans, no parser."""

import dataclasses
import re

# Comments, raw strings, strings, and characters (not the ' of 1'000).
_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^ ()\\\n]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_NOT_A_FUNCTION = re.compile(
    r"^\s*(?:(?:template\s*<.*>\s*)?(?:requires\b[^{]*)?(?:class|struct|union|enum|namespace|"
    r"concept)\b|(?:inline\s+)?namespace\b|extern\s*$|extern\s+\"\")", re.DOTALL)
_ATTRIBUTE_OR_LABEL = re.compile(r"\[\[[^\]]*\]\]|\b(?:public|private|protected)\s*:")
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|extern)\b")
_CLASS = re.compile(r"^(?:class)\s+(?:\w+\([^)]*\)\s+|\[\[[^\]]*\]\]\s*|[A-Z_]{3,}\s+)*(\w+)")


def code_only(text):
    """`text` with comments and the insides of strings blanked; lines and columns are kept."""

    def blank(match):
        token = match[0]
        if token[0] in "\"'R":
            inside = re.sub(r"[^\n]", " ", token[1:-1])
            return token[0].replace("R", " ") + inside + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return _TOKENS.sub(blank, text)


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    first: int  # line of the signature
    lines: int  # from the signature to the closing brace


def _without_directives(code):
    """Preprocessor lines, with those they continue on, blanked."""
    out = []
    inside = False
    for line in code.split("\n"):
        directive = inside or line.lstrip().startswith("#")
        inside = directive and line.endswith("\\")
        out.append("" if directive else line)
    return "\n".join(out)


def _name(header):
    """Name of the function whose signature is `header`; a TEST is named by its arguments."""
    test = re.search(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST)\s*\(\s*(\w+)\s*,\s*(\w+)", header)
    if test:
        return f"{test[1]}.{test[2]}"
    match = re.search(r"([\w:~]+|operator[^\w\s]+)\s*\(", header)
    return match[1] if match else "lambda"


def _is_signature(header):
    """`header` opens a body, not a braced value (`kTable = make({`, `int x`)."""
    depth0 = re.sub(r"\([^()]*\)", "()", re.sub(r"\([^()]*\)", "", header))
    if "(" not in header or depth0.count("(") != depth0.count(")"):
        return False
    value = re.search(r"(?<![=!<>])=(?!=)", depth0) and "operator" not in depth0
    return not value or "[" in depth0


def functions(code):
    """Every function body at namespace or class scope; what is inside one counts as part of it."""
    code = _without_directives(code)
    found = []
    scopes = []  # "outer": namespace or class; "init": a{...} in a constructor's list; "other"
    opened = None  # (name, first line) of the function we are in
    header, header_line, line = "", None, 1
    for piece in re.split(r"([{};\n])", code):
        at_outer = opened is None and all(scope == "outer" for scope in scopes)
        if piece == "\n":
            line += 1
            header += " " if at_outer else ""
        elif piece == "{":
            kind = "other"
            if at_outer:
                clean = _ATTRIBUTE_OR_LABEL.sub(" ", header)
                if re.search(r"\)[^;]*[^:]:[^:]", clean) and re.search(r"[\w>]\s*$", clean) and (
                        not re.search(r"\b(?:try|const|noexcept|override)\s*$", clean)):
                    kind = "init"
                elif _NOT_A_FUNCTION.search(clean):
                    kind = "outer" if _SCOPE.search(clean) and "enum" not in clean else "other"
                elif _is_signature(clean):
                    kind = "function"
                    opened = (_name(clean), header_line or line)
            scopes.append(kind)
            if kind != "init":
                header, header_line = "", None
        elif piece == "}":
            kind = scopes.pop() if scopes else "other"
            if kind == "function" and opened is not None:
                found.append(Function(opened[0], opened[1], line - opened[1] + 1))
                opened = None
            if kind == "init":
                header += "()"
            else:
                header, header_line = "", None
        elif piece == ";" and at_outer:
            header, header_line = "", None
        elif at_outer:
            if header_line is None and piece.strip():
                header_line = line
            header += piece
    return found


def classes_without_comment(code, lines):
    """(line, name) of every class defined at namespace scope with no comment right above it."""
    code_lines = code.split("\n")
    for number, text in enumerate(code_lines, 1):
        match = _CLASS.match(text)
        if not match:
            continue
        rest = " ".join(code_lines[number - 1:number + 3])
        if "{" not in rest or ";" in rest.split("{")[0]:
            continue
        above = number - 2
        while above >= 0 and lines[above].startswith(("template", "requires")):
            above -= 1
        if above < 0 or not lines[above].lstrip().startswith("//"):
            yield number, match[1]
