"""What comes back is understood as the servers of the world write it, and nothing in it is believed
but a Message-ID."""

import random
import time
from email import message_from_bytes
from email.policy import SMTP

import pytest

from service.mail.returned import MOST_BYTES, Says, read

ID = "<0123456789abcdef01234567@daily.example>"
LETTER = f"""From: The Daily <comments@service.example>
To: rita@example.org
Subject: Your reply is published
Message-ID: {ID}
In-Reply-To: <conversation@daily.example>

It is published. 5.1.1
"""

POSTFIX = """Return-Path: <>
Date: Wed, 4 Mar 2026 10:20:00 +0000 (UTC)
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@service.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4CF3.1772619600/mx.example"
Message-Id: <20260304102000.4CF3@mx.example>

This is a MIME-encapsulated message.

--4CF3.1772619600/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--4CF3.1772619600/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 4CF3
Arrival-Date: Wed,  4 Mar 2026 10:19:58 +0000 (UTC)

Final-Recipient: rfc822; rita@example.org
Original-Recipient: rfc822;rita@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {diagnostic}

--4CF3.1772619600/mx.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

{letter}
--4CF3.1772619600/mx.example--
"""

GMAIL = """From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: bounces@service.example
Subject: Delivery Status Notification (Failure)
References: {id}
In-Reply-To: {id}
Content-Type: multipart/report; boundary="000000000000a5b6"; report-type=delivery-status

--000000000000a5b6
Content-Type: multipart/related; boundary="000000000000c7d8"

--000000000000c7d8
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000c7d8--
--000000000000a5b6
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; comments@service.example
X-Original-Message-ID: {id}

Final-Recipient: rfc822; rita@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.google.com.
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
Last-Attempt-Date: Wed, 04 Mar 2026 02:20:00 -0800 (PST)

--000000000000a5b6
Content-Type: message/rfc822

{letter}
--000000000000a5b6--
"""

# It returns the headers alone, and they are folded.
EXCHANGE = """From: postmaster@example.onmicrosoft.com
To: bounces@service.example
Subject: Undeliverable: Your reply is published
Content-Type: multipart/report; report-type=delivery-status; boundary="_aa_"
Content-Language: en-US

--_aa_
Content-Type: multipart/alternative; differences=Content-Type; boundary="_bb_"

--_bb_
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><p>rita wasn't found at example.org</p></html>

--_bb_--

--_aa_
Content-Type: message/delivery-status

Reporting-MTA: dns;EXAMPLE.prod.outlook.com

Final-Recipient: rfc822;rita@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found

--_aa_
Content-Type: text/rfc822-headers

From: The Daily <comments@service.example>
Subject: Your reply is published
Message-ID:
 {id}

--_aa_--
"""

# RFC 6533, as a server writes it whose addresses have other letters.
OTHER_LETTERS = """From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=global-delivery-status; boundary="x"

--x
Content-Type: text/plain

No.

--x
Content-Type: message/global-delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: utf-8; ritä@example.org
Action: failed
Status: 5.1.1

--x
Content-Type: message/global-headers

Message-ID: {id}

--x--
"""

QMAIL = """From: MAILER-DAEMON@mx.example
To: bounces@service.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<rita@example.org>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 <rita@example.org>: nobody
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <bounces@service.example>
{letter}"""

EXIM = """From: Mail Delivery System <Mailer-Daemon@mx.example>
To: bounces@service.example
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  rita@example.org
    host mail.example.org [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<rita@example.org>:
    550 Unrouteable address

------ This is a copy of the message, including all the headers. ------

{letter}"""

ARF = """From: <abuse@provider.example>
To: <abuse@service.example>
Subject: FW: Your reply is published
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d"

--part1_13d
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_13d
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <user@example.com>

--part1_13d
Content-Type: message/rfc822

{letter}
--part1_13d--
"""


def mail(template, **words):
    given = {"id": ID, "letter": LETTER, "action": "failed", "status": "5.1.1", "kind": "abuse"}
    given["diagnostic"] = "smtp; 550 5.1.1 <rita@example.org>: Recipient address rejected"
    return template.format(**given | words).encode()


SERVERS = {
    "postfix": POSTFIX,
    "gmail": GMAIL,
    "exchange": EXCHANGE,
    "other letters": OTHER_LETTERS,
    "qmail": QMAIL,
    "exim": EXIM,
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_each_server_s_way_to_say_that_there_is_no_such_address(server, end):
    raw = mail(SERVERS[server]).replace(b"\n", end.encode())
    found = read(raw)
    assert (found.says, found.message_ids) == (Says.GONE, (ID,))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"status": "5.0.0", "diagnostic": "smtp; 550 no such user"}, Says.GONE),
        ({"action": "Failed", "status": "5.2.1"}, Says.GONE),
        ({"action": "delayed", "status": "4.4.1"}, Says.NOTHING),
        ({"action": "delayed", "status": "5.1.1"}, Says.NOTHING),
        ({"action": "delivered", "status": "2.0.0"}, Says.NOTHING),
        ({"action": "relayed", "status": "5.1.1"}, Says.NOTHING),
        ({"status": "5.7.1"}, Says.NOTHING),
        ({"status": "5.2.2"}, Says.NOTHING),
        ({"status": "4.1.1"}, Says.NOTHING),
        ({"status": ""}, Says.GONE),
        ({"status": "", "diagnostic": ""}, Says.NOTHING),
        ({"action": ""}, Says.NOTHING),
    ],
)
def test_only_a_failure_for_good_of_the_address_counts(words, says):
    assert read(mail(POSTFIX, **words)).says == says


def test_where_somebody_got_it_the_address_takes_mail():
    forwarded = "failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@example.org\nAction: delivered"
    assert read(mail(POSTFIX, action=forwarded)).says == Says.NOTHING


@pytest.mark.parametrize(
    ("kind", "says"),
    [("abuse", Says.COMPLAINT), ("Abuse", Says.COMPLAINT), ("not-spam", Says.NOTHING),
     ("virus", Says.NOTHING), ("auth-failure", Says.NOTHING), ("", Says.NOTHING)],
)  # fmt: skip
def test_a_complaint_is_one_by_its_type(kind, says):
    found = read(mail(ARF, kind=kind))
    assert (found.says, found.message_ids) == (says, (ID,))


def test_the_report_s_own_message_id_is_nobody_s():
    """Whoever sends it chooses that, and what it claims to answer."""
    named = mail(POSTFIX, letter="Subject: none\n\nNo such header.\n").replace(
        b"Message-Id: <20260304102000.4CF3@mx.example>", f"Message-Id: {ID}".encode()
    )
    assert read(named) is None
    assert read(mail(GMAIL, letter="Subject: none\n\nNo such header.\n")) is None
    assert read(mail(ARF, letter=f"Subject: none\n\nMessage-ID: {ID}\n")) is None


ABSENT = f"""From: rita@example.org
Subject: Re: Your reply is published
Auto-Submitted: auto-replied
In-Reply-To: {ID}

I am away until Monday. My new address is ritas@example.org.

> Message-ID: {ID}
"""
READ = POSTFIX.replace("delivery-status", "disposition-notification").replace(
    "Action:", "Disposition: automatic-action/MDN-sent-automatically; displayed\nX:"
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\xff\xfe" * 100,
        b"Content-Type: multipart/report\n\nno boundary",
        b'Content-Type: multipart/report; boundary=""\n\n--\n--\n----\n',
        b'Content-Type: multipart/report; boundary="x"\n\n--x\nContent-Type: message/delivery-status',
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n!!!!",
        "Betreff: ä\n\nMessage-ID: <ü>\n550 5.1.1".encode("latin-1"),
        ABSENT.encode(),
        mail(READ),
        mail(POSTFIX)[:400],
        b"Message-ID: " + ID.encode() + b"\n\n550 5.1.1 nobody\n",
    ],
)
def test_nonsense_and_other_mail_is_not_understood(raw):
    assert read(raw) is None


def nested(depth, kind):
    head = [f'Content-Type: {kind}; boundary="b{n}"\n\n--b{n}\n' for n in range(depth)]
    return "".join(head).encode() + mail(POSTFIX)


@pytest.mark.parametrize("kind", ["multipart/mixed", "message/rfc822", "multipart/digest"])
def test_parts_within_parts_end_somewhere(kind):
    assert read(nested(5_000, kind)) is None


def test_a_mail_of_any_size_takes_little_time():
    begun = time.process_time()
    for raw in (
        b"a" * 10_000_000,
        b"a: b\n" * 100_000,
        b"5.1." * 100_000,
        b"\n" * 500_000,
        b"Content-Type: multipart/mixed; " + b'a="";' * 10 + b'"' + b";" * MOST_BYTES,
        mail(QMAIL).replace(b"Hi.", b"Message-ID: <" * 100_000),
    ):
        read(raw)
    assert time.process_time() - begun < 20  # no limit of speed: a sign that it ends


def test_what_is_changed_anywhere_crashes_nothing():
    chance = random.Random(7)
    for template in (*SERVERS.values(), ARF):
        raw = bytearray(mail(template))
        for _ in range(60):
            spoiled = bytearray(raw)
            for _ in range(5):
                at = chance.randrange(len(spoiled))
                spoiled[at : at + chance.randrange(40)] = bytes(
                    chance.choices(b'\n;:"=<>-\0\xff5.1', k=3)
                )
            read(bytes(spoiled))


def test_a_letter_of_ours_is_found_again_when_it_is_folded_by_the_library():
    whole = message_from_bytes(mail(POSTFIX), policy=SMTP)
    assert read(whole.as_bytes()).message_ids == (ID,)
