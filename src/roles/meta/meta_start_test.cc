#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

TEST(MetaServer, GivesTheFirstDataNodeEverySlot) {
    Story story;
    story.start_and_settle();
    EXPECT_TRUE(story.server->ready());
    const auto reply = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(reply));
    EXPECT_EQ(reply->incarnation, Incarnation(1));
    EXPECT_FALSE(reply->known_before);
    ASSERT_EQ(reply->table->slots.size(), 256U);
    for (const Slot& slot : reply->table->slots) {
        EXPECT_EQ(slot.leader, NodeId("data-1"));
        EXPECT_EQ(slot.epoch, Epoch(1));
        EXPECT_LT(slot.floor, reply->version_ceiling);
    }
    ASSERT_TRUE(reply->members.has_value());
    EXPECT_EQ(reply->members->size(), 1U);
}

TEST(MetaServer, IsReadyWithinAFewWritesOnAnEmptyFolder) {
    Story story;
    story.start();
    EXPECT_FALSE(story.server->ready());
    std::size_t writes = 0;
    while (!story.server->ready() && story.disk.pump_one()) {
        ++writes;
    }
    EXPECT_TRUE(story.server->ready());
    EXPECT_LE(writes, 2U);
}

TEST(MetaServer, TellsEverybodyAtOnceWhenTheTableChanges) {
    Story story;
    story.start_and_settle();
    const auto early = story.heartbeat(Story::session(), 1);
    ASSERT_TRUE(early.has_value());
    EXPECT_FALSE(early->table.has_value());
    story.say(Story::data(), 1);
    story.settle();
    const auto told = story.mail.last<msg::NodeHeartbeatReply>(Story::session());
    ASSERT_TRUE(has_table(told));
    ASSERT_TRUE(told->members.has_value());
    EXPECT_EQ(told->members->size(), 2U);
}

TEST(MetaServer, SendsBodiesOnlyWhenTheyAreNewer) {
    Story story;
    story.start_and_settle();
    const auto full = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(full));
    story.say(Story::data(), 1, full->table->epoch.raw(), full->members_epoch);
    story.settle();
    const auto slim = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(slim.has_value());
    EXPECT_FALSE(slim->table.has_value());
    EXPECT_FALSE(slim->members.has_value());
    EXPECT_EQ(slim->members_epoch, full->members_epoch);
}

TEST(MetaServer, SaysNothingThatIsNotDurable) {
    Story story;
    story.start_and_settle();
    story.say(Story::data(), 1);
    story.timers->fire_due();
    EXPECT_TRUE(story.mail.sent[Story::data()].empty());
    EXPECT_GT(story.disk.queued(), 0U);
}

TEST(MetaServer, AnswersNoDataNodeBeforeItRaisedTheCeilingInThisLife) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(has_table(story.heartbeat(Story::data(), 1)));
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    const Version before = story.server->status().ceiling;
    story.kill();

    story.start();
    story.disk.pump_one();  // the segment of the new term: it leads
    ASSERT_TRUE(story.server->status().leads);
    story.say(Story::data(), 1);
    story.say(Story::session(), 1);
    story.timers->fire_due();
    EXPECT_TRUE(story.mail.sent[Story::data()].empty());
    EXPECT_FALSE(story.mail.sent[Story::session()].empty());
    story.settle();
    const auto reply = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(reply.has_value());
    EXPECT_GT(reply->version_ceiling, before);
}

TEST(MetaServer, KeepsTheCeilingAheadOfTheClock) {
    Story story;
    story.start_and_settle();
    const std::uint64_t half = version_span(story.options.version_window) / 2;
    for (int minute = 0; minute < 10; ++minute) {
        story.pass(seconds(61));
        EXPECT_GE(story.server->status().ceiling.raw(), story.now().raw() + half - (half / 30));
        EXPECT_LE(story.server->status().ceiling.raw(), story.now().raw() + 3 * half);
    }
}

TEST(MetaServer, NeverLowersTheCeilingWhenTheClockIsSetBack) {
    Story story;
    story.start_and_settle();
    story.pass(seconds(120));
    const Version before = story.server->status().ceiling;
    story.clock.set_wall({.unix_ms = 1000});
    story.pass(seconds(120));
    EXPECT_EQ(story.server->status().ceiling, before);
    story.kill();
    story.start_and_settle();
    EXPECT_GT(story.server->status().ceiling, before);
    const auto reply = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(reply));
    EXPECT_GT(reply->version_ceiling, before);
}

TEST(MetaServer, PutsTheFloorAboveWhatAnEarlierLifeMayHaveGiven) {
    Story story;
    story.start_and_settle();
    const auto first = story.heartbeat(Story::data(), 1);
    ASSERT_TRUE(has_table(first));
    const auto second = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(second));
    EXPECT_GT(second->table->epoch, first->table->epoch);
    EXPECT_GT(second->version_ceiling, first->version_ceiling);
    for (const Slot& slot : second->table->slots) {
        EXPECT_GE(slot.floor, first->version_ceiling);
        EXPECT_LT(slot.floor, second->version_ceiling);
        EXPECT_EQ(slot.epoch, Epoch(2));
    }
    // The same life again, also to a new life of the meta: nothing moves.
    story.kill();
    story.start_and_settle();
    const auto same = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(same));
    EXPECT_EQ(*same->table, *second->table);
}

TEST(MetaServer, GivesGrowingFloorsWhateverDiesWhen) {
    Story story;
    Prng prng(7);
    Version highest;  // any version a data node may have given
    std::uint64_t life = 1;
    Version floor_before;
    story.start_and_settle();
    for (int round = 0; round < 300; ++round) {
        switch (prng.below(5)) {
            case 0: ++life; break;
            case 1:
                story.disk.crash({.operations = prng.below(3), .torn_bytes = prng.below(80)});
                story.start_and_settle();
                break;
            case 2: story.pass(seconds(prng.between(1, 50))); break;
            case 3: story.clock.set_wall({.unix_ms = prng.between(0, 2'000'000'000'000)}); break;
            default: story.say(Story::data(), life); break;
        }
        story.say(Story::data(), life);
        if (prng.chance(1, 2)) {
            continue;  // the meta may die while it writes
        }
        const Version before = highest;
        const auto reply = story.heartbeat(Story::data(), life);
        ASSERT_TRUE(has_table(reply)) << round;
        const Slot& slot = reply->table->slots[17];
        ASSERT_GE(reply->version_ceiling, before) << round;
        ASSERT_LT(slot.floor, reply->version_ceiling) << round;
        if (slot.floor != floor_before) {
            ASSERT_GE(slot.floor, before) << round;
        }
        floor_before = slot.floor;
        highest = reply->version_ceiling;
    }
}

}  // namespace
}  // namespace muster::meta
