// What the links do by the clock, on a clock and a network of the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "runtime/links/cluster_links.h"
#include "runtime/links/links_test_env.h"
#include "runtime/links/memory_net_test_env.h"

namespace muster::runtime {
namespace {

using msg::LinkEvent;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_links::Heard;
using testing_links::MemoryNetwork;

struct TimedNode {
    TimedNode(MemoryNetwork& network, env::ManualClock& clock, const std::string& name,
              std::uint16_t port, std::uint64_t life = 1)
        : TimedNode(network, clock,
                    {.cluster = "test",
                     .secret = "s",
                     .node = NodeId(name),
                     .folder = port,
                     .incarnation = Incarnation(life)}) {}
    // Its port is the number of its folder.
    TimedNode(MemoryNetwork& network, env::ManualClock& clock, const ClusterLinksOptions& options)
        : id(options.node),
          address{.ip = "10.0.0.1", .port = static_cast<std::uint16_t>(options.folder)},
          net(network),
          timers(clock),
          links(options, {.net = net,
                          .timers = timers,
                          .clock = clock,
                          .prng = Prng(options.folder),
                          .handler = heard,
                          .log = Log(lines, LogLevel::warning),
                          .nonce = [this] {
                              return std::string(kNonceBytes, static_cast<char>(++nonces));
                          }}) {
        timers.attach(links);
        EXPECT_TRUE(links.listen(address).has_value());
    }
    [[nodiscard]] std::uint64_t sent(FrameKind kind) const {
        return links.stats().sent[static_cast<std::size_t>(kind)].frames.value();
    }

    NodeId id;
    env::SocketAddress address;
    int nonces = 0;
    Heard heard;
    testing_links::Lines lines;
    MemoryNetwork::Face net;
    env::ManualTimers timers;
    ClusterLinks links;
};

class LinksInTime : public testing::Test {
protected:
    void run(Duration duration) {
        for (Duration passed{}; passed < duration; passed += milliseconds(10)) {
            clock.advance(milliseconds(10));
            fire();
        }
    }
    void fire() {
        for (TimedNode* node : {a.get(), b.get()}) {
            if (node != nullptr) {
                node->timers.fire_due();
                network.pump();
            }
        }
    }
    void link() {
        a->links.learn(b->id, b->address);
        run(milliseconds(20));
        ASSERT_EQ(a->links.state(b->id), LinkEvent::up);
        ASSERT_EQ(b->links.state(a->id), LinkEvent::up);
    }

    MemoryNetwork network;
    env::ManualClock clock;
    std::unique_ptr<TimedNode> a = std::make_unique<TimedNode>(network, clock, "a", 1);
    std::unique_ptr<TimedNode> b = std::make_unique<TimedNode>(network, clock, "b", 2);
};

TEST_F(LinksInTime, CostsAPingNowAndThenWhenIdleAndNoneWhenBusy) {
    link();
    run(seconds(30));
    EXPECT_GE(a->sent(FrameKind::ping), 100U);
    EXPECT_LE(a->sent(FrameKind::ping), 120U);
    EXPECT_EQ(a->links.stats().sent[static_cast<std::size_t>(FrameKind::ping)].bytes.value(),
              2 * a->sent(FrameKind::ping));
    const auto idle = a->sent(FrameKind::ping);
    for (int i = 0; i < 100; ++i) {
        a->links.send_raw(b->id, 1, "x");
        run(milliseconds(100));
    }
    EXPECT_EQ(a->sent(FrameKind::ping), idle);
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up));
}

TEST_F(LinksInTime, SaysOnceAMinuteWhoSendsWhatCannotBeReadAndKeepsTheLink) {
    link();
    const auto say = [&](FrameKind kind, std::string_view content) {
        std::string frame;
        append_frame(frame, kind, content);
        a->net.send(a->net.last_dialled, std::move(frame));
        run(milliseconds(10));
    };
    const auto said = [&] { return std::exchange(b->lines.all, {}); };
    say(FrameKind::message, std::string_view("\1\2\x01\xff", 4));  // a PublishBatch cut short
    const std::string advice =
        "is it of another release? Run the same release on all nodes; if they do, look for what "
        "changes bytes on the way";
    const auto first = said();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_THAT(first[0], testing::StartsWith("link.unread node=a why=a message of node 'a' cannot "
                                              "be read and was dropped (malformed content: a "
                                              "message of type 1: "));
    EXPECT_THAT(first[0], testing::EndsWith("): " + advice));
    EXPECT_EQ(b->links.stats().unreadable_messages.value(), 1U);
    say(FrameKind::message, std::string_view("\1\2\x7f", 3));
    say(FrameKind::message, std::string_view("\1\7\x01", 3));
    say(FrameKind::raw, "");
    EXPECT_THAT(said(), IsEmpty()) << "within the minute";
    EXPECT_EQ(b->links.stats().unknown_messages.value(), 1U);
    EXPECT_EQ(b->links.stats().unreadable_messages.value(), 3U);
    run(seconds(60));
    say(FrameKind::message, std::string_view("\1\2\x7f", 3));
    EXPECT_THAT(said(), ElementsAre("link.unread node=a why=a message of node 'a' cannot be read "
                                    "and was dropped (unknown message type: a message of type 127, "
                                    "which this release does not know): " +
                                    advice));
    run(seconds(60));
    b->heard.raw_outcome = fail(Errc::refused, "a message in format 9, this release reads 1");
    say(FrameKind::raw, "\1x");
    EXPECT_THAT(said(), ElementsAre("link.unread node=a why=bytes of channel 1 of node 'a' cannot "
                                    "be read and was dropped (refused by policy: a message in "
                                    "format 9, this release reads 1): " +
                                    advice));
    EXPECT_EQ(b->links.stats().unknown_messages.value(), 3U);
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up));
}

TEST_F(LinksInTime, TellsTheNodeThatIsOneTooManyWhatToDo) {
    ClusterLinksOptions full{.cluster = "test",
                             .secret = "s",
                             .node = NodeId("c"),
                             .folder = 3,
                             .incarnation = Incarnation(1)};
    full.peers_max = 1;
    TimedNode c(network, clock, full);
    a->links.learn(c.id, c.address);
    const auto run_all = [&] {
        for (int i = 0; i < 100; ++i) {
            c.timers.fire_due();
            run(milliseconds(10));
        }
    };
    run_all();
    ASSERT_EQ(a->links.state(c.id), LinkEvent::up);
    b->links.learn(c.id, c.address);
    run_all();
    EXPECT_TRUE(
        b->lines.has("reason=over_limit why=node 'c' is linked to 1 nodes, and takes no "
                     "more: stop nodes that are not needed, or make the cluster smaller"));
    EXPECT_EQ(a->links.state(c.id), LinkEvent::up);
}

TEST_F(LinksInTime, CallsANodeSilentASecondAfterItsLastWord) {
    link();
    run(seconds(2));
    network.cut = true;
    run(milliseconds(650));
    EXPECT_EQ(a->links.state(b->id), LinkEvent::up);
    run(milliseconds(450));
    EXPECT_EQ(a->links.state(b->id), LinkEvent::silent);
    EXPECT_EQ(b->links.state(a->id), LinkEvent::silent);
}

TEST_F(LinksInTime, IsUpAgainTwoSecondsAfterACutAtTheLatest) {
    link();
    network.cut = true;
    run(seconds(60));
    network.cut = false;
    run(seconds(2));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up, LinkEvent::silent, LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up, LinkEvent::silent, LinkEvent::up));
}

TEST_F(LinksInTime, CallsANodeSilentThatWasNeverReached) {
    network.cut = true;
    a->links.learn(b->id, b->address);
    run(milliseconds(900));
    EXPECT_THAT(a->heard.events, IsEmpty());
    run(milliseconds(200));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::silent));
    network.cut = false;
    run(seconds(3));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::silent, LinkEvent::up));
}

TEST_F(LinksInTime, DialsLessAndLessOftenButNeverRarerThanEachSecond) {
    b.reset();
    a->links.learn(NodeId("b"), {.ip = "10.0.0.1", .port = 2});
    run(seconds(1));
    const auto first = a->net.dials;
    EXPECT_GE(first, 4U);
    EXPECT_LE(first, 8U);
    run(seconds(20));
    EXPECT_GE(a->net.dials - first, 19U);
    EXPECT_LE(a->net.dials - first, 40U);
    EXPECT_THAT(a->heard.of(NodeId("b")), ElementsAre(LinkEvent::closed));
}

TEST_F(LinksInTime, HoldsItsOwnPauseAgainstNobody) {
    link();
    clock.advance(seconds(20));
    fire();
    run(milliseconds(900));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up));
}

TEST_F(LinksInTime, AsksAtOnceWhetherTheProcessEnded) {
    link();
    b.reset();
    network.pump();
    a->timers.fire_due();
    network.pump();
    EXPECT_THAT(a->heard.of(NodeId("b")), ElementsAre(LinkEvent::up, LinkEvent::closed));
}

TEST_F(LinksInTime, CallsAPausedNodeClosedWhenItIsKilled) {
    link();
    network.cut = true;
    run(seconds(5));
    ASSERT_EQ(b->links.state(a->id), LinkEvent::silent);
    a.reset();
    network.pump();  // its end is lost, too
    network.cut = false;
    run(seconds(3));
    // It never dialled, and was told no end: silent is all it knows.
    EXPECT_EQ(b->links.state(NodeId("a")), LinkEvent::silent);

    a = std::make_unique<TimedNode>(network, clock, "a", 1, 2);
    a->links.learn(b->id, b->address);
    run(milliseconds(100));
    EXPECT_THAT(b->heard.of(a->id),
                ElementsAre(LinkEvent::up, LinkEvent::silent, LinkEvent::closed, LinkEvent::up));
}

TEST_F(LinksInTime, KeepsOneOfTwoConnections) {
    a->links.learn(b->id, b->address);
    b->links.learn(a->id, a->address);
    run(seconds(5));
    EXPECT_EQ(a->sent(FrameKind::bye) + b->sent(FrameKind::bye),
              a->links.stats().links_made.value() - 1);
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up));
}

}  // namespace
}  // namespace muster::runtime
