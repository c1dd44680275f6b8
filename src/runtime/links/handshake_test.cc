#include "runtime/links/handshake.h"

#include <gtest/gtest.h>

#include "runtime/links/proof.h"

namespace muster::runtime {
namespace {

using Outcome = Handshake::Outcome;
using Step = Handshake::Step;

class Welcome final : public LinkAdmission {
public:
    std::optional<LinkRefusal> refusal;
    [[nodiscard]] std::optional<LinkRefusal> admit(const LinkHello& /*peer*/) const override {
        return refusal;
    }
};

LinkHello hello_of(const std::string& node, char nonce) {
    return {.cluster = "test",
            .node = NodeId(node),
            .folder = 7,
            .incarnation = Incarnation(3),
            .peer_address = "127.0.0.1:1",
            .nonce = std::string(kNonceBytes, nonce)};
}

// Feeds frames of one side to the other until nobody has anything to say.
struct Pair {
    explicit Pair(Handshake::Options d, Handshake::Options a)
        : dialler(std::move(d), dialler_secret, dialler_admits),
          accepter(std::move(a), accepter_secret, accepter_admits) {}

    void run() {
        std::string to_accepter = dialler.open();
        std::string to_dialler = accepter.open();
        while (!to_accepter.empty() || !to_dialler.empty()) {
            sent += to_accepter;
            give(accepter, accepter_end, std::exchange(to_accepter, {}), to_dialler);
            give(dialler, dialler_end, std::exchange(to_dialler, {}), to_accepter);
        }
    }
    static void give(Handshake& to, Step& end, const std::string& bytes, std::string& answer) {
        FrameReader reader(kHandshakeFrameMax);
        const auto fed = reader.feed(bytes, [&](FrameKind kind, std::string_view content) {
            end = to.on_frame(kind, content);
            answer += end.send;
            return end.outcome == Outcome::going_on;
        });
        ASSERT_TRUE(fed.has_value());
    }

    std::string dialler_secret = "s";
    std::string accepter_secret = "s";
    Welcome dialler_admits;
    Welcome accepter_admits;
    Handshake dialler;
    Handshake accepter;
    Step dialler_end;
    Step accepter_end;
    std::string sent;
};

Pair usual() {
    return Pair({.side = LinkSide::dialler, .self = hello_of("d", 'x'), .expected = NodeId("a")},
                {.side = LinkSide::accepter, .self = hello_of("a", 'y'), .expected = {}});
}

TEST(Proof, MatchesRfc4231) {
    // Test case 2.
    const std::string proof = hmac_sha256("Jefe", "what do ya want for nothing?");
    std::string hex;
    for (const char c : proof) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[static_cast<unsigned char>(c) >> 4U];
        hex += kDigits[static_cast<unsigned char>(c) & 15U];
    }
    EXPECT_EQ(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Handshake, LinksTwoNodesThatKnowTheSecret) {
    Pair pair = usual();
    pair.run();
    EXPECT_EQ(pair.dialler_end.outcome, Outcome::done);
    EXPECT_EQ(pair.accepter_end.outcome, Outcome::done);
    EXPECT_EQ(pair.dialler.peer(), hello_of("a", 'y'));
    EXPECT_EQ(pair.accepter.peer(), hello_of("d", 'x'));
    EXPECT_EQ(pair.dialler.version(), kLinkVersionMax);
}

TEST(Handshake, RefusesAWrongSecretBeforeItProvesItsOwn) {
    Pair pair = usual();
    pair.dialler_secret = "guess";
    pair.run();
    EXPECT_EQ(pair.accepter_end.outcome, Outcome::refused);
    EXPECT_EQ(pair.accepter_end.refusal.reason, RefusalReason::secret);
    EXPECT_EQ(pair.dialler_end.outcome, Outcome::refused_by_peer);
    EXPECT_EQ(pair.dialler_end.refusal.reason, RefusalReason::secret);
    EXPECT_NE(pair.dialler_end.refusal.sentence.find("secret is not the same"), std::string::npos);
}

TEST(Handshake, RefusesAnAccepterThatCannotProveTheSecret) {
    Pair pair = usual();
    Handshake& dialler = pair.dialler;
    static_cast<void>(dialler.open());
    Step step = dialler.on_frame(FrameKind::hello, encode_hello(hello_of("a", 'y')));
    ASSERT_EQ(step.outcome, Outcome::going_on);
    // The dialler's own proof sent back to it proves nothing.
    FrameReader reader(kHandshakeFrameMax);
    static_cast<void>(reader.feed(step.send, [&](FrameKind kind, std::string_view content) {
        EXPECT_EQ(kind, FrameKind::proof);
        step = dialler.on_frame(FrameKind::proof, content);
        return false;
    }));
    EXPECT_EQ(step.outcome, Outcome::refused);
    EXPECT_EQ(step.refusal.reason, RefusalReason::secret);
}

TEST(Handshake, DoesNotTakeAProofOfAnotherConnection) {
    Pair first = usual();
    std::string proof;
    static_cast<void>(first.dialler.open());
    const Step said = first.dialler.on_frame(FrameKind::hello, encode_hello(hello_of("a", 'y')));
    FrameReader reader(kHandshakeFrameMax);
    static_cast<void>(reader.feed(said.send, [&](FrameKind /*kind*/, std::string_view content) {
        proof = content;
        return false;
    }));
    // The same hello and proof, told to an accepter with another nonce.
    const std::string secret = "s";
    const Welcome welcome;
    Handshake accepter({.side = LinkSide::accepter, .self = hello_of("a", 'z'), .expected = {}},
                       secret, welcome);
    ASSERT_EQ(accepter.on_frame(FrameKind::hello, encode_hello(hello_of("d", 'x'))).outcome,
              Outcome::going_on);
    EXPECT_EQ(accepter.on_frame(FrameKind::proof, proof).outcome, Outcome::refused);
}

TEST(Handshake, RefusesVersionsWithNothingInCommonAndSaysWhoShouldBeUpgraded) {
    LinkHello newer = hello_of("d", 'x');
    newer.version_min = kLinkVersionMax + 1;
    newer.version_max = kLinkVersionMax + 2;
    Pair pair({.side = LinkSide::dialler, .self = newer, .expected = NodeId("a")},
              {.side = LinkSide::accepter, .self = hello_of("a", 'y'), .expected = {}});
    pair.run();
    EXPECT_EQ(pair.accepter_end.refusal.reason, RefusalReason::version);
    EXPECT_EQ(pair.dialler_end.refusal.sentence,
              "node 'd' speaks link versions 2 to 3, node 'a' 1 to 1: upgrade the latter");
}

TEST(Handshake, TakesTheGreatestVersionOfBoth) {
    LinkHello newer = hello_of("d", 'x');
    newer.version_max = kLinkVersionMax + 2;
    Pair pair({.side = LinkSide::dialler, .self = newer, .expected = NodeId("a")},
              {.side = LinkSide::accepter, .self = hello_of("a", 'y'), .expected = {}});
    pair.run();
    EXPECT_EQ(pair.dialler_end.outcome, Outcome::done);
    EXPECT_EQ(pair.dialler.version(), kLinkVersionMax);
    EXPECT_EQ(pair.accepter.version(), kLinkVersionMax);
}

TEST(Handshake, AsksTheOwnerOfTheLinksOnlyAfterTheProof) {
    Pair pair = usual();
    pair.accepter_admits.refusal = LinkRefusal{.reason = RefusalReason::id_in_use, .sentence = "x"};
    pair.run();
    EXPECT_EQ(pair.dialler_end.refusal.reason, RefusalReason::id_in_use);

    Pair wrong = usual();
    wrong.dialler_secret = "guess";
    wrong.accepter_admits.refusal = pair.accepter_admits.refusal;
    wrong.run();
    EXPECT_EQ(wrong.dialler_end.refusal.reason, RefusalReason::secret);
}

TEST(Handshake, LetsTheDiallerRefuse) {
    Pair pair = usual();
    pair.dialler_admits.refusal = LinkRefusal{.reason = RefusalReason::own_id, .sentence = "x"};
    pair.run();
    EXPECT_EQ(pair.dialler_end.outcome, Outcome::refused);
    EXPECT_EQ(pair.accepter_end.outcome, Outcome::refused_by_peer);
}

TEST(Handshake, EndsWhenAFrameComesThatIsNotNext) {
    for (const FrameKind kind : {FrameKind::message, FrameKind::raw, FrameKind::ready,
                                 FrameKind::proof, FrameKind::ping}) {
        Pair pair = usual();
        EXPECT_EQ(pair.accepter.on_frame(kind, "x").outcome, Outcome::broken);
    }
}

TEST(Handshake, SaysThatAHelloCannotBeRead) {
    Pair pair = usual();
    const Step step = pair.accepter.on_frame(FrameKind::hello, "HELO");
    EXPECT_EQ(step.outcome, Outcome::refused);
    EXPECT_EQ(step.refusal.reason, RefusalReason::bad_hello);
}

TEST(Hello, IsReadWithFieldsOfANewerRelease) {
    const LinkHello hello = hello_of("d", 'x');
    std::string bytes = encode_hello(hello);
    // The struct's length is the byte behind the magic.
    ASSERT_LT(bytes.size(), 100U);
    bytes[4] = static_cast<char>(bytes[4] + 3);
    const auto read = decode_hello(bytes + "new");
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, hello);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        EXPECT_FALSE(decode_hello(bytes.substr(0, cut)).has_value());
    }
}

TEST(Refusal, ShowsNothingButText) {
    const auto read = decode_refusal(
        encode_refusal({.reason = RefusalReason::cluster, .sentence = "a\x1b[2J\nb"}));
    EXPECT_EQ(read.sentence, "a [2J b");
    EXPECT_EQ(decode_refusal("").reason, RefusalReason::other);
}

TEST(FrameReader, FindsFramesHoweverTheyAreSplit) {
    std::string bytes;
    append_frame(bytes, FrameKind::ping, {});
    append_frame(bytes, FrameKind::message, "ab", std::string(200, 'c'));
    append_frame(bytes, FrameKind::raw, "d");
    EXPECT_EQ(bytes.substr(0, 2), (std::string{1, 5}));
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        FrameReader reader(1000);
        std::string seen;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            const auto fed = reader.feed(std::string_view(bytes).substr(at, step),
                                         [&](FrameKind kind, std::string_view content) {
                                             append_frame(seen, kind, content);
                                             return true;
                                         });
            ASSERT_TRUE(fed.has_value());
        }
        EXPECT_EQ(seen, bytes);
        EXPECT_EQ(reader.held_bytes(), 0U);
    }
}

TEST(FrameReader, RefusesWhatIsNoFrame) {
    const auto nothing = [](FrameKind, std::string_view) { return true; };
    EXPECT_EQ(FrameReader(10).feed("\x0b", nothing).error().code, Errc::too_large);
    EXPECT_EQ(FrameReader(10).feed(std::string(1, '\0'), nothing).error().code, Errc::bad_frame);
    EXPECT_EQ(FrameReader(10).feed("\x02\x63", nothing).error().code, Errc::bad_frame);
    EXPECT_EQ(FrameReader(10).feed("\xff\xff\xff\xff\xff", nothing).error().code, Errc::bad_frame);
}

}  // namespace
}  // namespace muster::runtime
