# The texts of reference.jsonl, written for this project; seeded, so that they are always the same.
import random

MANUAL = [
    "Disconnect the mains plug before opening the service cover.",
    "Press and hold RESET for five seconds until the status light turns green.",
    "The pump does not start: check fuse F3 and the supply voltage (230 V, 50 Hz).",
    "Error E-204 means that the inlet temperature sensor is not connected.",
    "Replace the filter cartridge, part number PX-4410-B, every 2,000 operating hours.",
    "Tighten the four M6 screws crosswise to a torque of 8.5 Nm.",
    "WARNING: hot surface. Let the heating plate cool down for at least 30 minutes.",
    "To pair the remote control, switch the receiver off, then hold PAIR while switching it on.",
    "The warranty covers defects in material and workmanship for 24 months from the date of sale.",
    "If the display shows three dashes, the battery voltage has fallen below 2.4 V.",
    "Do not use abrasive cleaners, solvents, or steam jets on the housing.",
    "The maximum permissible operating pressure is 6 bar at 20 °C.",
    "Connect the drain hose with an upward loop at least 60 cm above the floor.",
    "Firmware updates are installed from a USB stick formatted with FAT32.",
    "The motor protection relay trips when the phase current exceeds 1.2 times the rated current.",
    "Descale the boiler with citric acid solution when the DESCALE lamp flashes.",
    "Select Menu > Settings > Network > Advanced and enter the static IP address.",
    "See section 4.3, Commissioning, before applying load for the first time.",
    "Only trained personnel may carry out work on the high-voltage section.",
    "Store the device in a dry place between -20 and +60 degrees Celsius.",
    "After a power failure the controller resumes the program that was running.",
    "The child lock is active when the key symbol is shown; press both arrows to release it.",
    "Check the belt tension monthly: the belt should give 10 mm under thumb pressure.",
    "Spare parts are delivered only against the serial number on the rating plate.",
]
KOREAN = [
    "서비스 덮개를 열기 전에 전원 플러그를 뽑으십시오.",
    "초기화 버튼을 5초 동안 길게 누르면 상태 표시등이 녹색으로 바뀝니다.",
    "펌프가 작동하지 않으면 퓨즈 F3과 공급 전압(220V, 60Hz)을 확인하십시오.",
    "오류 코드 E-204는 흡입구 온도 센서가 연결되지 않았음을 뜻합니다.",
    "필터 카트리지는 운전 2,000시간마다 교체해야 합니다.",
    "경고: 표면이 뜨겁습니다. 최소 30분 동안 식힌 후 청소하십시오.",
    "보증 기간은 구입일로부터 24개월입니다.",
    "리모컨을 등록하려면 수신기를 끈 다음 등록 단추를 누른 채로 켜십시오.",
    "정격 명판에 적힌 일련번호를 알려 주셔야 부품을 주문할 수 있습니다.",
    "배수 호스는 바닥에서 60cm 이상 높게 설치하세요.",
    "펌웨어는 FAT32로 포맷한 USB 메모리로 업데이트합니다.",
    "어린이 보호 잠금을 풀려면 두 화살표를 동시에 누르세요.",
]
MIXED = [
    "Press the 전원 button for 3초.",
    "오류 E-07: check the water inlet valve (급수 밸브).",
    "Gerät vor dem Öffnen ausschalten – danger de choc électrique.",
    "¿Cómo reinicio la bomba? Pulse RESET durante cinco segundos.",
    "Перед открытием крышки отключите питание.",
    "カバーを開ける前に電源プラグを抜いてください。",
    "打开盖板之前请拔下电源插头。",
    "افصل قابس الكهرباء قبل فتح الغطاء.",
    "केबल को अलग करें, फिर ढक्कन खोलें।",
    "ถอดปลั๊กก่อนเปิดฝาครอบ",
    "Το μοτέρ δεν ξεκινά· ελέγξτε την ασφάλεια.",
    "יש לנתק את המכשיר לפני פתיחת המכסה.",
]
CODE = [
    "curl -X POST http://192.168.0.10/api/v1/reset -H 'Content-Type: application/json' -d '{\"hard\":true}'",
    "if (pressure > kMaxPressureBar) { StopPump(); return Status::kOverpressure; }",
    "SELECT serial, hours FROM pump WHERE hours >= 2000 ORDER BY hours DESC;",
    "MODBUS register 0x0104 (R/W, uint16): set point in 0.1 °C; default 215 = 21.5 °C",
    "for i in range(16):\n    print(f\"{i:04b}\", gray(i))",
    "<config><pump id=\"1\" max=\"6.0\"/></config>",
    "$ sudo systemctl restart vade.service && journalctl -u vade -f",
    "| Code | Meaning | Remedy |\n|------|---------|--------|\n| E01 | no water | open tap |",
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "int16_t *p = (int16_t*)buf; p[3] ^= 0xFFFF; // flip",
    "KEY_ENTER=28; KEY_ESC=1  # scan codes",
    "https://example.com/manuals/pump-p200/en/index.html?rev=7#reset",
]
SHORT = ["pump", "E-204", "a", "?", "24 V", "reset", "reset pump", "P200", "filter", "물", "전원", "OK",
         "0", "3.14159", "temperature", "how", "Yes.", "IP67", "RS-485", "torque", "...", "m³/h", "É",
         "the", "of the and"]
ODD = [
    "!!! WARNING !!! --- >>> do NOT open <<< --- !!!",
    "“Smart quotes”, ‘single’, en–dash, em—dash, ellipsis…",
    "½ cup + ¾ cup = 1¼ cups; 10² = 100; H₂O; CO₂; 5 µm; 10 kΩ; ±0.5 %",
    "naïve café résumé Ångström Škoda Łódź İstanbul groß Æther œuvre",
    "😀 battery low 🔋 → replace ♻️ ✅",
    "tab\tseparated\tvalues\nand\r\nline breaks\u00a0with no-break\u2003and em spaces",
    "zero\u200bwidth\u200djoiner and soft\u00adhyphen",
    "e\u0301 and \u00e9 are the same letter; ᄒ\u1161\u11ab and 한 too",
    "ＦＵＬＬ　ＷＩＤＴＨ １２３ ａｂｃ",
    "x" * 90,
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "aAbBcC-123_456.789/000\\111|222:333;444",
    "((((nested))) [brackets] {braces} <angles>)",
    "§ 4.1.2 ¶ † ‡ • ‣ ◦ ※ ★ ☆ ① ② Ⅳ №",
    "100% cotton @ 30°C & gentle spin = #happy $5 ^_^ ~50 `code` *bold* _it_",
]
LINKS = ["Afterwards,", "Then", "If this does not help,", "Before that,", "Note that", "In addition,", "As a rule,",
         "For models with a tank,", "During the first hour,", "Once a year,"]


def texts():
    rng = random.Random(20240607)
    out = []
    for kind, items in [("manual", MANUAL), ("korean", KOREAN), ("mixed", MIXED), ("code", CODE),
                        ("short", SHORT), ("odd", ODD)]:
        out += [(kind, t) for t in items]
    for _ in range(45):  # passages of two to four sentences
        parts = rng.sample(MANUAL, rng.randint(2, 4))
        out.append(("passage", " ".join([parts[0]] + [f"{rng.choice(LINKS)} {p[0].lower()}{p[1:]}" for p in parts[1:]])))
    for _ in range(20):
        out.append(("korean passage", " ".join(rng.sample(KOREAN, rng.randint(2, 3)))))
    for _ in range(20):
        out.append(("mixed passage", " / ".join(rng.sample(MIXED, 1) + rng.sample(CODE, 1) + rng.sample(MANUAL, 1))))
    for _ in range(20):
        heading = " > ".join(rng.sample(["Pump P200", "Installation", "Safety", "Error codes", "Maintenance", "Wi-Fi"], 3))
        out.append(("heading path", heading + "\n" + " ".join(rng.sample(MANUAL, 3))))
    for n in (9, 10, 11, 12, 13):  # close to the limit of 256 tokens
        for _ in range(4):
            out.append(("long", " ".join(rng.sample(MANUAL, n))))
    return out
