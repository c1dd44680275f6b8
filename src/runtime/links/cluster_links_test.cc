#include "runtime/links/cluster_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/links/links_test_env.h"
#include "runtime/net/net_test_env.h"

namespace muster::runtime {
namespace {

using msg::LinkEvent;
using msg::RoleAddress;
using testing::ElementsAre;
using testing::Pair;
using testing_links::Node;

class ClusterLinksTest : public testing_links::LinksFixture {};

TEST_F(ClusterLinksTest, CarriesMessagesBothWaysOverOneConnection) {
    const auto a = start("a");
    const auto b = start("b");
    ASSERT_TRUE(link(*a, *b));
    a->send(*b, 1);
    a->send(*b, 2);
    b->send(*a, 3);
    b->links->send_raw(a->id, 9, "raft says");
    ASSERT_TRUE(run_until([&] {
        return b->heard.messages.size() == 2 && a->heard.messages.size() == 1 &&
               a->heard.raw.size() == 1;
    }));
    EXPECT_THAT(b->heard.messages,
                ElementsAre(Pair(RoleAddress{.node = a->id, .role = Role::data}, 1),
                            Pair(RoleAddress{.node = a->id, .role = Role::data}, 2)));
    EXPECT_THAT(b->heard.addressed, ElementsAre(Role::session, Role::session));
    EXPECT_THAT(a->heard.raw, ElementsAre(Pair(9, "raft says")));
    EXPECT_THAT(a->heard.events, ElementsAre(Pair(b->id, LinkEvent::up)));
    EXPECT_EQ(a->net.stats().accepted.value(), 0U);
    EXPECT_EQ(b->net.stats().dialled.value(), 0U);
}

TEST_F(ClusterLinksTest, LinksThreeNodesThatAllDialEachOther) {
    const auto a = start("a");
    const auto b = start("b");
    const auto c = start("c");
    std::vector<Node*> nodes{a.get(), b.get(), c.get()};
    for (Node* from : nodes) {
        for (const Node* to : nodes) {
            from->learn(*to);  // of itself: nothing
        }
    }
    ASSERT_TRUE(run_until([&] {
        return std::ranges::all_of(nodes,
                                   [](const Node* n) { return n->links->linked_count() == 2; });
    }));
    a->send(*b, 1);
    b->send(*c, 2);
    c->send(*a, 3);
    ASSERT_TRUE(run_until([&] {
        return std::ranges::all_of(nodes,
                                   [](const Node* n) { return n->heard.messages.size() == 1; });
    }));
    // One of two connections ends and nobody takes it for an end.
    run_for(std::chrono::milliseconds(2500));
    for (const Node* node : nodes) {
        EXPECT_EQ(node->net.connection_count(), 2U);
        EXPECT_EQ(node->heard.events.size(), 2U);
    }
}

TEST_F(ClusterLinksTest, TellsThatAProcessEndedAndThatItIsBack) {
    const auto a = start("a");
    auto b = start("b");
    const auto address = b->address();
    ASSERT_TRUE(link(*a, *b));
    b.reset();
    const NodeId id("b");
    ASSERT_TRUE(run_until([&] { return a->links->state(id) == LinkEvent::closed; }));
    auto again = options("b");
    again.incarnation = Incarnation(2);
    b = start(again, address);
    ASSERT_TRUE(run_until([&] { return a->links->state(id) == LinkEvent::up; }));
    EXPECT_THAT(a->heard.of(id), ElementsAre(LinkEvent::up, LinkEvent::closed, LinkEvent::up));
    b->send(*a, 5);
    ASSERT_TRUE(run_until([&] { return a->heard.messages.size() == 1; }));
}

TEST_F(ClusterLinksTest, TellsThatAProcessEndedWhichItNeverDialled) {
    const auto a = start("a");
    auto b = start("b");
    ASSERT_TRUE(link(*b, *a));
    EXPECT_EQ(a->net.stats().dialled.value(), 0U);
    b.reset();
    ASSERT_TRUE(run_until([&] { return a->links->state(NodeId("b")) == LinkEvent::closed; }));
    EXPECT_THAT(a->heard.of(NodeId("b")), ElementsAre(LinkEvent::up, LinkEvent::closed));
}

TEST_F(ClusterLinksTest, TellsOfARestartEvenWhenItWasTooFastToBeRefused) {
    const auto a = start("a");
    auto b = start("b");
    ASSERT_TRUE(link(*b, *a));
    auto again = options("b");
    again.incarnation = Incarnation(2);
    const auto at = b->address();
    b.reset();
    b = start(again, at);
    b->learn(*a);
    ASSERT_TRUE(run_until([&] { return a->heard.events.size() == 3; }));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up, LinkEvent::closed, LinkEvent::up));
}

TEST_F(ClusterLinksTest, FindsANodeThatStartsLater) {
    const auto a = start("a");
    auto b = start("b");
    const auto address = b->address();
    b.reset();
    a->links->learn(NodeId("b"), address);
    ASSERT_TRUE(run_until([&] { return a->links->state(NodeId("b")) == LinkEvent::closed; }));
    b = start(options("b"), address);
    ASSERT_TRUE(run_until([&] { return a->sees(*b, LinkEvent::up); }));
}

TEST_F(ClusterLinksTest, RefusesAWrongSecretAndSaysNoMoreThanThat) {
    const auto a = start("a");
    auto other = options("b");
    other.secret = "another secret";
    const auto b = start(other);
    b->learn(*a);
    ASSERT_TRUE(run_until([&] { return b->lines.has("link.refused_by_peer"); }));
    EXPECT_TRUE(b->lines.has("cluster secret is not the same: give all nodes"));
    EXPECT_TRUE(a->lines.has("link.refused "));
    EXPECT_GE(a->links->stats().refused[static_cast<std::size_t>(RefusalReason::secret)].value(),
              1U);
    EXPECT_EQ(a->links->linked_count(), 0U);
    EXPECT_TRUE(a->heard.events.empty());
}

TEST_F(ClusterLinksTest, RefusesAnotherCluster) {
    const auto a = start("a");
    auto other = options("b");
    other.cluster = "staging";
    const auto b = start(other);
    b->learn(*a);
    ASSERT_TRUE(run_until([&] { return b->lines.has("link.refused_by_peer"); }));
    EXPECT_TRUE(b->lines.has("node 'b' is of cluster 'staging', node 'a' of cluster 'test'"));
    EXPECT_TRUE(a->lines.has("reason=cluster"));
}

TEST_F(ClusterLinksTest, RefusesANodeIdInUse) {
    const auto a = start("a");
    const auto b = start("b");
    ASSERT_TRUE(link(*b, *a));
    auto thief = options("b");
    thief.folder = 12345;
    const auto c = start(thief);
    c->learn(*a);
    ASSERT_TRUE(run_until([&] { return c->lines.has("link.refused_by_peer"); }));
    EXPECT_TRUE(c->lines.has("node id 'b' is in use by a process with another data folder"));
    // The one that was there stays.
    b->send(*a, 1);
    ASSERT_TRUE(run_until([&] { return a->heard.messages.size() == 1; }));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));

    auto twin = options("a");
    twin.folder = 999;
    const auto d = start(twin);
    d->links->learn(NodeId("x"), a->address());
    ASSERT_TRUE(run_until([&] {
        return d->lines.has("node id 'a' is in use") ||
               d->lines.has("node 'a' answers where node 'x'");
    }));
}

TEST_F(ClusterLinksTest, RefusesAnEarlierStartOfALinkedNode) {
    const auto a = start("a");
    auto later = options("b");
    later.incarnation = Incarnation(7);
    const auto b = start(later);
    ASSERT_TRUE(link(*b, *a));
    const auto ghost = start(options("b"));
    ghost->learn(*a);
    ASSERT_TRUE(run_until([&] { return ghost->lines.has("a later start of node 'b'"); }));
    EXPECT_TRUE(a->sees(*b, LinkEvent::up));
}

TEST_F(ClusterLinksTest, SaysWhenAnotherNodeAnswersThanWasExpected) {
    const auto a = start("a");
    const auto b = start("b");
    a->links->learn(NodeId("c"), b->address());
    ASSERT_TRUE(run_until([&] { return b->lines.has("link.refused_by_peer"); }));
    EXPECT_TRUE(a->lines.has("node 'b' answers where node 'c' was expected"));
    EXPECT_TRUE(b->lines.has("correct the address of 'c'"));
}

TEST_F(ClusterLinksTest, EndsAConnectionThatSendsGarbageAndServesTheOthers) {
    const auto a = start("a");
    const auto b = start("b");
    ASSERT_TRUE(link(*b, *a));
    testing_net::RecordingHandler stranger;
    TcpNet net(*loop, {});
    for (const std::string& garbage :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\xff\xff\xff\xff\xff\xff"),
          std::string(1, '\0'), std::string("\x05\x01garb"), std::string("\x02\x07x")}) {
        const std::size_t before = stranger.closed.size();
        const auto conn = net.dial(a->address(), stranger);
        net.send(conn, garbage);
        ASSERT_TRUE(run_until([&] { return stranger.closed.size() > before; }));
    }
    EXPECT_GE(a->links->stats().garbled.value(), 3U);
    EXPECT_TRUE(a->lines.has("link.garbled"));
    EXPECT_TRUE(
        a->lines.has("no Muster node speaks from there, the connection is ended; stop what "
                     "does, or keep it from this port"));
    b->send(*a, 1);
    ASSERT_TRUE(run_until([&] { return a->heard.messages.size() == 1; }));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));
}

TEST_F(ClusterLinksTest, BoundsConnectionsThatProveNothing) {
    auto few = options("a");
    few.pending_max = 3;
    few.accepter_handshake_timeout = std::chrono::milliseconds(200);
    const auto a = start(few);
    testing_net::RecordingHandler stranger;
    TcpNet net(*loop, {});
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(net.dial(a->address(), stranger));
    }
    ASSERT_TRUE(run_until([&] { return stranger.closed.size() == 10; }));
    EXPECT_EQ(a->links->stats().over_pending_max.value(), 7U);
    EXPECT_EQ(a->links->stats().handshake_timeouts.value(), 3U);
    // A node gets in all the same.
    const auto b = start("b");
    ASSERT_TRUE(link(*b, *a));
}

TEST_F(ClusterLinksTest, TakesNoLargeFrameBeforeTheProof) {
    const auto a = start("a");
    testing_net::RecordingHandler stranger;
    TcpNet net(*loop, {});
    const auto conn = net.dial(a->address(), stranger);
    std::string frame;
    append_frame(frame, FrameKind::hello, std::string(kHandshakeFrameMax, 'x'));
    net.send(conn, frame.substr(0, 10));
    ASSERT_TRUE(run_until([&] { return stranger.closed.size() == 1; }));
    EXPECT_EQ(a->links->stats().garbled.value(), 1U);
}

TEST_F(ClusterLinksTest, CallsANodeSilentThatAcceptsAndNeverAnswers) {
    const auto a = start("a");
    testing_net::RecordingHandler mute;
    TcpNet net(*loop, {});
    const auto listener = net.listen(testing_links::kAnyPort, mute);
    a->links->learn(NodeId("b"), net.local_address(*listener));
    ASSERT_TRUE(run_until([&] { return !a->heard.events.empty(); }));
    EXPECT_THAT(a->heard.of(NodeId("b")), ElementsAre(LinkEvent::silent));
    EXPECT_EQ(mute.accepted.size(), 1U);
}

TEST_F(ClusterLinksTest, TellsOfACutAndOfItsEndAndRelinksByANewConnection) {
    const auto a = start("a");
    const auto b = start("b");
    testing_links::Relay relay(*loop, b->address());
    a->links->learn(b->id, relay.address());
    ASSERT_TRUE(run_until([&] { return b->sees(*a, LinkEvent::up); }));
    relay.cut = true;
    ASSERT_TRUE(run_until(
        [&] { return a->sees(*b, LinkEvent::silent) && b->sees(*a, LinkEvent::silent); }));
    a->send(*b, 1);  // into the cut: lost
    relay.cut = false;
    // What was held up in the old connection stays there for ever.
    ASSERT_TRUE(
        run_until([&] { return a->sees(*b, LinkEvent::up) && b->sees(*a, LinkEvent::up); }));
    a->send(*b, 2);
    b->send(*a, 3);
    ASSERT_TRUE(
        run_until([&] { return b->heard.messages.size() == 1 && a->heard.messages.size() == 1; }));
    EXPECT_EQ(b->heard.messages[0].second, 2U);
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up, LinkEvent::silent, LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up, LinkEvent::silent, LinkEvent::up));
}

TEST_F(ClusterLinksTest, DoesNotTakeALostConnectionForAnEnd) {
    const auto a = start("a");
    const auto b = start("b");
    testing_links::Relay relay(*loop, b->address());
    a->links->learn(b->id, relay.address());
    ASSERT_TRUE(run_until([&] { return b->sees(*a, LinkEvent::up); }));
    relay.drop_all();
    ASSERT_TRUE(run_until([&] { return a->links->stats().links_made.value() == 2; }));
    ASSERT_TRUE(run_until([&] { return b->links->linked_count() == 1; }));
    a->send(*b, 1);
    ASSERT_TRUE(run_until([&] { return b->heard.messages.size() == 1; }));
    EXPECT_THAT(a->heard.of(b->id), ElementsAre(LinkEvent::up));
    EXPECT_THAT(b->heard.of(a->id), ElementsAre(LinkEvent::up));
}

TEST_F(ClusterLinksTest, CallsAPausedNodeSilentAndUpAgainOnTheSameLink) {
    const auto a = start("a");
    auto other = Loop::create();
    ASSERT_TRUE(other.has_value());
    Node b(**other, options("b"));
    const auto both_until = [&](const std::function<bool()>& done) {
        const MonoTime end = loop->mono() + std::chrono::seconds(20);
        while (!done() && loop->mono() < end) {
            run_for(std::chrono::milliseconds(1));
            (*other)->post([&] { (*other)->stop(); });
            (*other)->run();
        }
        return done();
    };
    a->learn(b);
    ASSERT_TRUE(both_until([&] { return a->sees(b, LinkEvent::up) && b.sees(*a, LinkEvent::up); }));
    ASSERT_TRUE(run_until([&] { return a->sees(b, LinkEvent::silent); }));
    a->send(b, 1);
    ASSERT_TRUE(
        both_until([&] { return a->sees(b, LinkEvent::up) && b.heard.messages.size() == 1; }));
    EXPECT_THAT(b.heard.of(a->id), ElementsAre(LinkEvent::up));
}

TEST_F(ClusterLinksTest, DropsWhatIsOverThePeersQueue) {
    auto narrow = options("a");
    narrow.queue_max_bytes = std::size_t{4} << 20;
    const auto a = start(narrow);
    const auto b = start("b");
    ASSERT_TRUE(link(*a, *b));
    // Within one turn nobody reads: the kernel takes some, the queue 4 MiB, the rest is dropped.
    const std::string large(100'000, 'x');
    for (int i = 0; i < 400; ++i) {
        a->links->send_raw(b->id, 1, large);
    }
    const auto dropped = a->links->stats().dropped_queue_full.value();
    EXPECT_GT(dropped, 100U);
    EXPECT_TRUE(a->links->congested(b->id));
    ASSERT_TRUE(run_until([&] { return b->heard.raw.size() == 400 - dropped; }));
    EXPECT_FALSE(a->links->congested(b->id));
    a->links->send_raw(b->id, 1, "after");
    ASSERT_TRUE(run_until([&] { return b->heard.raw.back().second == "after"; }));
}

TEST_F(ClusterLinksTest, DropsAMessageThatIsTooLargeForAFrame) {
    auto small = options("a");
    small.frame_max = 1000;
    const auto a = start(small);
    const auto b = start("b");
    ASSERT_TRUE(link(*a, *b));
    a->links->send_raw(b->id, 1, std::string(1000, 'x'));
    a->links->send_raw(b->id, 1, "small");
    ASSERT_TRUE(run_until([&] { return !b->heard.raw.empty(); }));
    EXPECT_EQ(b->heard.raw[0].second, "small");
    EXPECT_EQ(a->links->stats().dropped_too_large.value(), 1U);
}

TEST_F(ClusterLinksTest, CountsWhatIsForANodeWithoutALink) {
    const auto a = start("a");
    a->links->send(Role::meta, {.node = NodeId("z")}, msg::ChangeBatch{});
    EXPECT_EQ(a->links->stats().dropped_no_link.value(), 1U);
}

TEST_F(ClusterLinksTest, ForgetsANodeThatIsNotToBeLinked) {
    const auto a = start("a");
    auto b = start("b");
    const auto address = b->address();
    b.reset();
    a->links->learn(NodeId("b"), address);
    ASSERT_TRUE(run_until([&] { return a->links->state(NodeId("b")) == LinkEvent::closed; }));
    a->links->forget(NodeId("b"));
    EXPECT_FALSE(a->links->state(NodeId("b")).has_value());
    b = start(options("b"), address);
    run_for(std::chrono::milliseconds(300));
    EXPECT_EQ(b->links->linked_count(), 0U);
}

TEST_F(ClusterLinksTest, WillNotListenWithoutASecret) {
    auto bare = options("a");
    bare.secret.clear();
    testing_links::Heard heard;
    TcpNet net(*loop, {});
    LoopTimers timers(*loop);
    ClusterLinks links(bare, {.net = net,
                              .timers = timers,
                              .clock = *loop,
                              .prng = Prng(1),
                              .handler = heard,
                              .log = {},
                              .nonce = {}});
    const auto listening = links.listen(testing_links::kAnyPort);
    ASSERT_FALSE(listening.has_value());
    EXPECT_EQ(listening.error().code, Errc::bad_config);
}

}  // namespace
}  // namespace muster::runtime
