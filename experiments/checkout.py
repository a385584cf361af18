"""An invented test of a checkout with an address form: nothing in it was published.

The variant completes addresses, so that more visitors get past the form; and it shows the cost of shipping one step
later, where they are lost again. As many buy as before. Drawn with the stream of `simulate.Draw`, so that the file
comes out the same everywhere.
"""

from datetime import datetime

from service import MINUTE, Table, arms, ordered, stamp
from simulate import DAY, Draw

FOLDER = "checkout-address-form"
START = datetime(2024, 4, 1)
DAYS, CUT = 28, 37
UNITS = {"control": 5030, "variant": 4970}
STEPS = ("cart_view", "address_form", "address_done", "payment", "purchase")
GOES_ON = {
    "control": (0.86, 0.71, 0.83, 0.78),
    "variant": (0.86, 0.81, 0.72, 0.79),
}
"""The chance to go on from each step to the next. 0.71 x 0.83 x 0.78 and 0.81 x 0.72 x 0.79 are nearly the same."""
BACK = 0.15
"""The chance of a step back: the visitor looks at the cart again before going on."""


def files() -> dict[str, Table]:
    """The log of the checkout: one row per page."""
    draw = Draw(41)
    rows = []
    for index, arm in enumerate(arms(draw, UNITS), start=1):
        visitor, device = f"v{index:05d}", ("desktop", "mobile")[draw.weighted([40, 60])]
        second = draw.below(DAYS) * DAY + draw.second_of_day()
        log = [(second, STEPS[0])]
        for step, chance in zip(STEPS[1:], GOES_ON[arm], strict=True):
            mobile = 0.96 if device == "mobile" and step == "address_done" else 1.0
            if draw.uniform() >= chance * mobile:
                break
            if draw.uniform() < BACK:
                second += draw.delay(2 * MINUTE, DAY)
                log.append((second, STEPS[0]))
            second += draw.delay(MINUTE, 2 * DAY)
            log.append((second, step))
        rows += [[visitor, stamp(START, second), arm, event, device] for second, event in log if second < CUT * DAY]
    return {"checkout.csv.gz": (["visitor_id", "time", "variation", "page", "device"], ordered(rows))}
