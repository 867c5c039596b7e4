"""The voices of the embedded corpus."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Speaker:
    """A variant of eSpeak NG's Mandarin voice, and its settings.

    Some variants are of no use: they say a text differently every time (Alicia, f2, f3, f5, sandro), turn the
    tones upside down (aunty), or swallow most of a vowel (Andrea, anika). Others are hard to tell from a
    target's: Denis, Henrique, michel and miguel from Diogo.

    Attributes:
        pitch, pitch_range, rate: eSpeak NG's parameters. At its usual range of 50 most variants move their
            pitch by a third only, and tones are hard to tell; near 99 the 5th and the 95th percentile lie
            1.5 to 2 times apart, as in people's Mandarin.
        scale: factor on all frequencies, formants and pitch alike: a larger one is a shorter vocal tract.
    """

    name: str
    gender: str
    variant: str
    pitch: int
    rate: int
    scale: float = 1.0
    pitch_range: int = 95
    is_target: bool = False


SPEAKERS = (
    Speaker("SSB7001", "female", "f1", pitch=54, rate=180, pitch_range=70),
    Speaker("SSB7002", "male", "m3", pitch=70, rate=185),
    Speaker("SSB7003", "female", "belinda", pitch=45, rate=190, pitch_range=100),
    Speaker("SSB7004", "male", "robert", pitch=74, rate=175, scale=0.97),
    Speaker("SSB7005", "female", "grandma", pitch=54, rate=170, pitch_range=80),
    Speaker("SSB7006", "male", "gustave", pitch=74, rate=195),
    Speaker("SSB7007", "female", "belinda", pitch=50, rate=165, scale=0.93, pitch_range=100),
    Speaker("SSB7008", "male", "edward", pitch=64, rate=170),
    Speaker("SSB7009", "male", "Diogo", pitch=72, rate=180, is_target=True),
    Speaker("SSB7010", "female", "Annie", pitch=48, rate=182, pitch_range=60, is_target=True),
    Speaker("SSB7011", "male", "robert", pitch=70, rate=195, scale=1.06),
    Speaker("SSB7012", "female", "steph", pitch=54, rate=175, pitch_range=100),
    Speaker("SSB7013", "male", "edward", pitch=70, rate=165, scale=1.09),
    Speaker("SSB7014", "female", "f4", pitch=50, rate=185, scale=1.05),
    Speaker("SSB7015", "male", "norbert", pitch=68, rate=190, scale=1.05),
    Speaker("SSB7016", "female", "shelby", pitch=58, rate=178, scale=1.06, pitch_range=75),
    Speaker("SSB7017", "male", "grandpa", pitch=66, rate=160, scale=0.94),
    Speaker("SSB7018", "female", "shelby", pitch=56, rate=188, scale=0.95, pitch_range=80),
    Speaker("SSB7019", "male", "gustave", pitch=78, rate=182, scale=0.94),
    Speaker("SSB7020", "female", "linda", pitch=46, rate=172, scale=0.95, pitch_range=100),
    Speaker("SSB7021", "male", "Reed", pitch=62, rate=186, scale=1.02),
    Speaker("SSB7022", "female", "Nguyen", pitch=68, rate=180, scale=1.12, pitch_range=85),
    Speaker("SSB7023", "male", "boris", pitch=78, rate=176, scale=1.08),
    Speaker("SSB7024", "female", "grandma", pitch=50, rate=184, scale=1.1, pitch_range=80),
    Speaker("SSB7025", "male", "Michael", pitch=80, rate=174, scale=1.1),
    Speaker("SSB7026", "female", "linda", pitch=52, rate=170, scale=1.07, pitch_range=100),
)
ORDINARY = tuple(speaker for speaker in SPEAKERS if not speaker.is_target)
TARGETS = tuple(speaker for speaker in SPEAKERS if speaker.is_target)
VOLUME = 35  # louder, the library clips some of the voices
