"""How the store writes a code: its system, a bar, the code; ICD codes without their dot, as in MIMIC."""


def coded(system: str, code: str) -> str:
    """A code of a system, e.g. ``coded('icd10', 'N17.9') == 'icd10|N179'``."""
    code = code.strip()
    return f"{system}|{code.replace('.', '') if system.startswith('icd') else code}"
