"""How the administration looks: our name and our accent on its theme."""

UNFOLD = {
    "SITE_TITLE": "Contentum CRM",
    "SITE_HEADER": "Contentum CRM",
    "SITE_SYMBOL": "hub",
    "COLORS": {
        "primary": {
            "50": "#e6f4f3", "100": "#c9e7e5", "200": "#9bd0cd", "300": "#66b5b2", "400": "#389794", "500": "#1c7c7b",
            "600": "#0d6066", "700": "#0b5257", "800": "#094247", "900": "#073439", "950": "#042125",
        }
    },
}  # fmt: skip
