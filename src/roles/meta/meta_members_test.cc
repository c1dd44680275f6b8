#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

TEST(MetaServer, SaysKnownBeforeOnceForAWholeLife) {
    struct Case {
        bool lived_before;
        bool meta_restarts;
    };
    for (const Case& one : {Case{false, false}, {false, true}, {true, false}, {true, true}}) {
        for (const auto& who : {Story::data(), Story::session()}) {
            Story story;
            story.start_and_settle();
            if (one.lived_before) {
                ASSERT_TRUE(story.heartbeat(who, 4).has_value());
            }
            for (int i = 0; i < 3; ++i) {
                const auto reply = story.heartbeat(who, 5);
                ASSERT_TRUE(reply.has_value());
                EXPECT_EQ(reply->known_before, one.lived_before);
                if (one.meta_restarts) {
                    story.kill();
                    story.start_and_settle();
                }
            }
        }
    }
}

TEST(MetaServer, TellsTheRolesOfOneNodeApart) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data("node"), 1).has_value());
    const auto reply = story.heartbeat(Story::session("node"), 2);
    ASSERT_TRUE(reply.has_value());
    EXPECT_FALSE(reply->known_before);
    EXPECT_EQ(story.server->status().members.size(), 2U);
}

TEST(MetaServer, IgnoresHeartbeatsOfAnEarlierLifeThatComeLate) {
    Story story;
    story.start_and_settle();
    const auto reply = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(reply));
    EXPECT_FALSE(story.heartbeat(Story::data(), 1).has_value());
    const auto again = story.heartbeat(Story::data(), 2);
    ASSERT_TRUE(has_table(again));
    EXPECT_EQ(*again->table, *reply->table);
    EXPECT_EQ(again->members_epoch, reply->members_epoch);
}

TEST(MetaServer, JoinsOnceHoweverOftenTheFirstHeartbeatComes) {
    Story story;
    story.start_and_settle();
    for (int i = 0; i < 50; ++i) {
        story.say(Story::data(), 1);
    }
    story.settle();
    EXPECT_EQ(story.server->status().members_epoch, 1U);
    EXPECT_EQ(story.server->status().table_epoch, Epoch(1));
}

TEST(MetaServer, ConvergesUnderLostDoubledAndReorderedHeartbeats) {
    Prng prng(3);
    for (int run = 0; run < 20; ++run) {
        Story story;
        story.start_and_settle();
        std::deque<std::pair<msg::RoleAddress, std::uint64_t>> on_the_way;
        for (std::uint64_t life = 1; life <= 4; ++life) {
            for (int i = 0; i < 10; ++i) {
                const auto who = prng.chance(1, 2) ? Story::data() : Story::session();
                on_the_way.emplace_back(who, life);
                on_the_way.emplace_back(who, life);
            }
        }
        while (!on_the_way.empty()) {
            const std::size_t at = prng.below(std::min<std::size_t>(on_the_way.size(), 20));
            if (prng.chance(2, 3)) {
                story.say(on_the_way[at].first, on_the_way[at].second);
            }
            if (prng.chance(1, 3)) {
                story.disk.pump_one();
                story.timers->fire_due();
            }
            on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(at));
        }
        for (const auto& who : {Story::data(), Story::session()}) {
            const auto reply = story.heartbeat(who, 5);
            ASSERT_TRUE(has_table(reply));
            EXPECT_EQ(reply->incarnation, Incarnation(5));
        }
        EXPECT_EQ(story.server->status().members.size(), 2U);
        EXPECT_EQ(story.server->status().slots_without_leader, 0U);
    }
}

TEST(MetaServer, RefusesHeartbeatsThatAreNotTheirSendersOwn) {
    Story story;
    story.start_and_settle();
    const auto beat = [&](const msg::RoleAddress& from, Member member) {
        story.server->on_message(from, msg::NodeHeartbeat{.member = std::move(member)});
    };
    beat(Story::data(),
         {.node = NodeId("other"), .role = Role::data, .incarnation = Incarnation(1)});
    beat(Story::data(),
         {.node = NodeId("data-1"), .role = Role::session, .incarnation = Incarnation(1)});
    beat(Story::data(), {.node = NodeId("data-1"), .role = Role::data});
    const msg::RoleAddress meta{.node = NodeId("m"), .role = Role::meta};
    beat(meta, {.node = NodeId("m"), .role = Role::meta, .incarnation = Incarnation(1)});
    const std::string long_name(kNameBytesMax + 1, 'n');
    beat(Story::data(long_name),
         {.node = NodeId(long_name), .role = Role::data, .incarnation = Incarnation(1)});
    story.server->on_message(Story::data(), msg::ChangeBatch{});
    story.say(Story::data(), 1, UINT64_MAX, UINT64_MAX);
    story.settle();
    EXPECT_TRUE(story.server->status().members.empty());
}

TEST(MetaServer, HearsAndAdmitsABoundedNumberOfNodes) {
    Story story;
    story.start();  // does not lead yet
    for (std::size_t i = 0; i < kMembersMax + 100; ++i) {
        story.say(Story::session("s" + std::to_string(i)), 1);
    }
    story.settle();
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < kMembersMax + 100; ++i) {
            story.say(Story::session("s" + std::to_string(i)), 1);
        }
        story.settle();
    }
    EXPECT_EQ(story.server->status().members.size(), kMembersMax);
    MetricNames metrics;
    story.server->write_metrics(metrics);
    EXPECT_GE(metrics.values.at("muster_meta_refused_messages_total"), 300);
}

TEST(MetaServer, HealsEpochsWhenItsFolderWasLost) {
    Story story;
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::data(), 1).has_value());
    story.say(Story::data(), 1, 500, 300);
    story.settle();
    story.say(Story::data(), 1, 500, 300);
    story.settle();
    const auto reply = story.mail.last<msg::NodeHeartbeatReply>(Story::data());
    ASSERT_TRUE(has_table(reply));
    EXPECT_GT(reply->table->epoch, Epoch(500));
    EXPECT_GT(reply->members_epoch, 300U);
}

// ---- a node id in use

TEST(MetaServerFolders, RefusesANodeIdThatAnotherFolderUses) {
    Story story;
    FakeNode a("a", Role::data);
    FakeNode s("s", Role::session);
    story.start_and_settle();
    story.live({&a, &s}, seconds(1));
    const std::string before = story.server->status().members.at(0).member.address;
    for (const Role role : {Role::data, Role::session}) {
        FakeNode other("a", role, 9);  // later than the rightful one
        other.member.folder = 78;
        other.member.address = "10.9.9.9:1";
        story.mail.sent.clear();
        story.server->on_message(other.who(), other.beat());
        story.settle();
        const auto refused = story.mail.last<msg::NodeRefused>(other.who());
        ASSERT_TRUE(refused.has_value());
        EXPECT_EQ(refused->folder, 78U);
        EXPECT_EQ(refused->incarnation, Incarnation(9));
        EXPECT_NE(refused->why.detail.find("127.0.0.1:9700"), std::string::npos);
    }
    EXPECT_EQ(story.server->status().members.size(), 2U);
    EXPECT_EQ(story.server->status().members.at(0).member.address, before);
    // It does not keep the rightful one's lease either, and takes the id over when that one died.
    FakeNode other("a", Role::data, 9);
    other.member.folder = 78;
    story.live({&other, &s}, seconds(4));
    EXPECT_EQ(story.server->status().members.at(0).member.incarnation, Incarnation(9));
}

TEST(MetaServerFolders, RefusesTwoThatComeAtOnce) {
    Story story;
    story.start_and_settle();
    FakeNode first("a", Role::data, 1);
    FakeNode second("a", Role::session, 2);
    second.member.folder = 78;
    story.server->on_message(first.who(), first.beat());
    story.server->on_message(second.who(), second.beat());
    story.settle();
    EXPECT_TRUE(story.mail.last<msg::NodeRefused>(second.who()).has_value());
    EXPECT_EQ(story.server->status().members.size(), 1U);
}

TEST(MetaServerFolders, SaysWhyALaterFolderWithAnEarlierClockIsNotLetIn) {
    Story story;
    FakeNode a("a", Role::session, 9);
    FakeNode d("d", Role::data);
    story.start_and_settle();
    story.live({&a, &d}, seconds(1));
    story.live({&d}, seconds(4));
    FakeNode other("a", Role::session, 3);
    other.member.folder = 78;
    story.server->on_message(other.who(), other.beat());
    EXPECT_TRUE(story.mail.last<msg::NodeRefused>(other.who()).has_value());
}

TEST(MetaServerFolders, HoldsTheIdOfTheDeadForNobodyAfterARestartOfTheMeta) {
    Story story;
    FakeNode a("a", Role::session);
    story.start_and_settle();
    story.beat(a);
    story.kill();
    story.start_and_settle();
    FakeNode other("a", Role::session, 2);
    other.member.folder = 78;
    story.server->on_message(other.who(), other.beat());
    story.settle();
    EXPECT_TRUE(story.mail.last<msg::NodeRefused>(other.who()).has_value());
    story.pass(seconds(4));
    story.beat(other);
    EXPECT_EQ(other.replies, 1U);
}

}  // namespace
}  // namespace muster::meta
