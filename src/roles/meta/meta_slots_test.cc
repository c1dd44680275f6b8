#include <set>

#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

MemberPhase phase_of(const Story& story, const std::string& name) {
    for (const MemberStatus& one : story.server->status().members) {
        if (one.member.node == NodeId(name)) {
            return one.member.phase;
        }
    }
    return MemberPhase::dead;
}

void expect_even(const SlotTable& table, std::size_t copies, std::size_t nodes) {
    std::map<NodeId, std::size_t> led;
    for (const Slot& slot : table.slots) {
        EXPECT_EQ(slot.followers.size() + 1, copies);
        ++led[slot.leader];
    }
    EXPECT_EQ(led.size(), nodes);
    for (const auto& [node, count] : led) {
        EXPECT_LE(count, table.slots.size() / nodes + 1);
    }
}

// ---- placement

TEST(MetaServerSlots, LeavesTheSlotsOfTheOnlyDataNodeWhereTheyAreWhenItDies) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    const Epoch epoch = story.server->status().table_epoch;
    story.pass(seconds(30));
    const MetaStatus status = story.server->status();
    EXPECT_FALSE(status.members.at(0).live);
    EXPECT_EQ(status.members.at(0).member.phase, MemberPhase::dead);
    EXPECT_GE(status.members.at(0).silent_for, seconds(29));
    EXPECT_EQ(status.members.at(0).slots_led, 256U);
    EXPECT_EQ(status.table_epoch, epoch);
}

TEST(MetaServerSlots, SpreadsCopiesOverNodesThatJoinOneByOne) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    FakeNode d("d", Role::data);
    story.start_and_settle();
    story.live({&a}, seconds(1));
    EXPECT_EQ(a.led(), 256U);
    story.live({&a, &b}, seconds(4));
    expect_even(a.table, 2, 2);
    story.live({&a, &b, &c}, seconds(6));
    expect_even(a.table, 3, 3);
    story.live({&a, &b, &c, &d}, seconds(12));
    expect_even(a.table, 3, 4);
    EXPECT_EQ(story.server->status().moving, 0U);
    const Epoch rest = a.table.epoch;
    story.live({&a, &b, &c, &d}, seconds(5));
    EXPECT_EQ(a.table.epoch, rest);
}

TEST(MetaServerSlots, GivesACopyTheLeadOnlyWhenItSaidThatItIsSynced) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    b.follows_well = false;
    story.start_and_settle();
    story.live({&a, &b}, seconds(10));
    EXPECT_EQ(a.led(), 256U);
    EXPECT_EQ(story.server->status().moving, story.options.placement.moving_max);
    b.follows_well = true;
    for (auto& [slot, state] : b.copies) {
        state.synced = true;
    }
    story.live({&a, &b}, seconds(10));
    EXPECT_EQ(a.led(), 128U);
}

TEST(MetaServerSlots, ChangesFollowersWithoutANewEpochOfTheLeader) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    b.follows_well = false;
    story.start_and_settle();
    story.live({&a}, seconds(1));
    const SlotTable before = a.table;
    story.live({&a, &b}, seconds(1));
    EXPECT_GT(a.table.epoch, before.epoch);
    EXPECT_EQ(a.table.slots[0].followers, std::vector{NodeId("b")});
    EXPECT_EQ(a.table.slots[0].epoch, before.slots[0].epoch);
    EXPECT_EQ(a.table.slots[0].floor, before.slots[0].floor);
}

TEST(MetaServerSlots, MovesTheSlotsOfADeadDataNodeToLivingOnesAboveTheCeiling) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    story.settle_cluster({&a, &b});
    const SlotTable shared = b.table;
    const Version ceiling = b.ceiling;
    ASSERT_EQ(b.led(), 128U);
    story.live({&b}, seconds(5));
    for (std::size_t i = 0; i < 256; ++i) {
        EXPECT_EQ(b.table.slots[i].leader, NodeId("b"));
        if (shared.slots[i].leader == NodeId("a")) {
            EXPECT_GE(b.table.slots[i].floor, ceiling);
            EXPECT_GT(b.table.slots[i].epoch, shared.slots[i].epoch);
        } else {
            EXPECT_EQ(b.table.slots[i].epoch, shared.slots[i].epoch);
        }
    }
}

TEST(MetaServerSlots, PromotesTheFurthestFollower) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    story.settle_cluster({&a, &b, &c});
    const SlotTable before = b.table;
    for (auto& [slot, state] : b.copies) {
        state.held.number += slot.raw() % 2;
    }
    for (auto& [slot, state] : c.copies) {
        state.held.number += 1 - slot.raw() % 2;
    }
    story.live({&b, &c}, seconds(4));
    for (std::size_t i = 0; i < before.slots.size(); ++i) {
        if (before.slots[i].leader == NodeId("a")) {
            EXPECT_EQ(b.table.slots[i].leader, NodeId(i % 2 == 1 ? "b" : "c")) << i;
        }
    }
}

TEST(MetaServerSlots, AsksFollowersHowFarTheyAreBeforeItPromotesOne) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    story.settle_cluster({&a, &b, &c});
    for (auto& [slot, state] : b.copies) {
        ++state.held.number;  // not told yet
    }
    story.server->on_link(NodeId("a"), msg::LinkEvent::closed);
    story.clock.advance(story.options.sign_wait);
    story.mail.sent.clear();
    story.settle();
    const auto asked = story.mail.last<msg::NodeHeartbeatReply>(b.who());
    ASSERT_TRUE(asked.has_value());
    EXPECT_TRUE(asked->want_copies);
    EXPECT_EQ(story.server->status().members.at(0).slots_led, a.led());
    story.beat(c);
    story.beat(b);
    EXPECT_EQ(story.server->status().members.at(0).slots_led, 0U);
    for (std::size_t i = 0; i < a.table.slots.size(); ++i) {
        if (a.table.slots[i].leader == NodeId("a")) {
            EXPECT_EQ(b.table.slots[i].leader, NodeId("b"));
        }
    }
}

TEST(MetaServerSlots, PromotesWithoutAnAnswerAfterAWhile) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    story.settle_cluster({&a, &b, &c});
    story.server->on_link(NodeId("a"), msg::LinkEvent::closed);
    story.clock.advance(story.options.sign_wait);
    story.settle();
    EXPECT_GT(story.server->status().members.at(0).slots_led, 0U);
    story.clock.advance(story.options.promote_wait);
    story.settle();
    EXPECT_EQ(story.server->status().members.at(0).slots_led, 0U);
}

TEST(MetaServerSlots, HandsTheSlotsOfARestartedNodeToItsFollowersAtOnce) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    story.settle_cluster({&a, &b, &c});
    const SlotTable before = b.table;
    a.restart(2);
    story.server->on_message(a.who(), a.beat());
    story.settle();
    story.deliver(a);
    ASSERT_EQ(a.table.slots.size(), before.slots.size());
    for (std::size_t i = 0; i < before.slots.size(); ++i) {
        if (before.slots[i].leader == NodeId("a")) {
            const Slot& slot = a.table.slots[i];
            EXPECT_NE(slot.leader, NodeId("a"));
            EXPECT_NE(std::ranges::find(slot.followers, NodeId("a")), slot.followers.end());
            EXPECT_EQ(slot.epoch.raw(), before.slots[i].epoch.raw() + 1);
        } else {
            EXPECT_EQ(a.table.slots[i], before.slots[i]);
        }
    }
    story.live({&a, &b, &c}, seconds(4));
    expect_even(a.table, 3, 3);
}

TEST(MetaServerSlots, TakesTheLeadFromANodeThatLeaves) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode c("c", Role::data);
    story.settle_cluster({&a, &b, &c});
    ASSERT_GT(a.led(), 0U);
    a.member.phase = MemberPhase::leaving;
    story.beat(a);
    story.beat(a);
    EXPECT_EQ(a.led(), 0U);
    EXPECT_EQ(phase_of(story, "a"), MemberPhase::leaving);
    EXPECT_EQ(story.server->status().members.at(0).slots_followed, 256U);
}

TEST(MetaServerSlots, KeepsVersionsAheadOfThoseThatWereGiven) {
    Story story;
    story.start_and_settle();
    FakeNode a("a", Role::data);
    story.live({&a}, seconds(1));
    msg::NodeHeartbeat far = a.beat();
    far.version = Version(a.ceiling.raw() - 1);
    story.server->on_message(a.who(), far);
    story.pass(milliseconds(250));
    EXPECT_GE(story.server->status().ceiling.raw(),
              far.version.raw() + version_span(story.options.version_window) / 2);
    const Version ceiling = story.server->status().ceiling;
    far.version = Version(kVersionMax.raw() - 1);  // rubbish
    story.server->on_message(a.who(), far);
    story.pass(milliseconds(250));
    EXPECT_EQ(story.server->status().ceiling, ceiling);
}

// ---- who is dead

TEST(MetaServerDeaths, TakesNobodyForDeadBeforeItListenedForALease) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("a"), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::data("b"), 1).has_value());
    story.kill();
    story.pass(Duration::zero());
    story.start_and_settle();
    const Epoch epoch = story.server->status().table_epoch;
    for (int i = 0; i < 10; ++i) {
        story.say(Story::data("a"), 1);
        story.pass(milliseconds(250));
        EXPECT_EQ(story.server->status().table_epoch, epoch);
        EXPECT_EQ(phase_of(story, "b"), MemberPhase::live);
    }
}

TEST(MetaServerDeaths, GivesEverybodyANewLeaseAfterItWasStopped) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("a"), 1).has_value());
    ASSERT_TRUE(story.heartbeat(Story::data("b"), 1).has_value());
    const Epoch epoch = story.server->status().table_epoch;
    story.clock.advance(seconds(60));
    story.say(Story::data("a"), 1);
    story.settle();
    EXPECT_EQ(story.server->status().table_epoch, epoch);
    EXPECT_EQ(phase_of(story, "b"), MemberPhase::live);
    EXPECT_TRUE(story.server->status().members.at(1).live);
}

TEST(MetaServerDeaths, RemembersTheDeadAcrossItsOwnDeath) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&a, &s}, seconds(1));
    story.live({&a}, seconds(4));
    ASSERT_EQ(phase_of(story, "s"), MemberPhase::dead);
    ASSERT_EQ(a.phase_of("s"), MemberPhase::dead);
    const std::uint64_t epoch = a.members_epoch;
    story.kill();
    story.start_and_settle();
    story.live({&a}, seconds(1));
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
    EXPECT_EQ(a.members_epoch, epoch);
    story.beat(s);
    story.live({&a}, milliseconds(500));
    EXPECT_EQ(a.phase_of("s"), MemberPhase::live);
}

TEST(MetaServerDeaths, BelievesAClosedLinkUnlessTheNodeIsHeardAgain) {
    Story story;
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&s}, seconds(1));
    story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
    story.clock.advance(story.options.sign_wait - milliseconds(1));
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    story.beat(s);
    story.clock.advance(story.options.sign_wait);
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
    story.clock.advance(story.options.sign_wait);
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
}

TEST(MetaServerDeaths, BelievesTwoWitnessesAtOnce) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&a, &s}, seconds(1));
    a.lost = {{NodeId("s")}, {NodeId("nobody")}};
    story.beat(a);
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
}

TEST(MetaServerDeaths, DoubtsWitnessesThatWereWrong) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&a, &s}, seconds(1));
    a.lost = {{NodeId("s")}};
    story.beat(a);
    story.clock.advance(story.options.sign_wait);
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
    // It was alive: what is said of it does not count for a while, also when it is said anew.
    story.beat(s);
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    for (int i = 0; i < 20; ++i) {
        a.lost.clear();
        if (i % 2 != 0) {
            a.lost.push_back({NodeId("s")});
        }
        story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
        story.live({&a, &s}, milliseconds(500));
        EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    }
    // Its lease does.
    story.live({&a}, seconds(4));
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
}

TEST(MetaServerDeaths, TakesALinkClosedBeforeItsOwnPauseForASignFromNowOn) {
    Story story;
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&s}, seconds(1));
    story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
    story.clock.advance(seconds(20));
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
    story.beat(s);
    story.clock.advance(seconds(1));
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::live);
}

TEST(MetaServerDeaths, WaitsQuietlyWhileANewLifeOfTheDeadIsBeingAgreedOn) {
    Story story;
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&s}, seconds(1));
    s.restart(2);
    story.server->on_message(s.who(), s.beat());  // the disk stands still
    story.server->on_link(NodeId("s"), msg::LinkEvent::closed);
    story.clock.advance(story.options.sign_wait);
    std::size_t fired = 0;
    for (int i = 0; i < 100; ++i) {
        fired += story.timers->fire_due();
    }
    EXPECT_LT(fired, 10U);
    story.clock.advance(milliseconds(250));
    story.settle();
    story.clock.advance(milliseconds(250));
    story.settle();
    EXPECT_EQ(phase_of(story, "s"), MemberPhase::dead);
}

TEST(MetaServerDeaths, ForgetsTheDeadAfterAWhile) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode b("b", Role::data);
    FakeNode s("s", Role::session);
    story.settle_cluster({&a, &b, &s});
    story.live({&a}, seconds(5));
    EXPECT_EQ(story.server->status().members.size(), 3U);
    EXPECT_EQ(a.table.slots[0].followers, std::vector{NodeId("b")});
    story.options.forget_after = seconds(10);
    story.kill();
    story.start_and_settle();
    story.live({&a}, seconds(12));
    EXPECT_EQ(story.server->status().members.size(), 1U);
    EXPECT_TRUE(a.table.slots[0].followers.empty());
    EXPECT_EQ(a.members.size(), 1U);
    story.beat(b);
    story.live({&a, &b}, seconds(4));
    EXPECT_EQ(a.table.slots[0].followers.size(), 1U);
}

TEST(MetaServerDeaths, KeepsTheOnlyDataNodeHoweverLongItIsDead) {
    Story story;
    story.options.forget_after = seconds(10);
    story.start_and_settle();
    FakeNode a("a", Role::data);
    story.live({&a}, seconds(1));
    story.pass(seconds(60));
    EXPECT_EQ(story.server->status().members.size(), 1U);
    a.restart(2);
    story.beat(a);
    EXPECT_EQ(a.led(), 256U);
}

}  // namespace
}  // namespace muster::meta
