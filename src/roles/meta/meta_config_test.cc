#include "roles/meta/meta_story.h"

namespace muster::meta {
namespace {

class ConfigStory : public Story {
public:
    ConfigStory() {
        start_and_settle();
        EXPECT_TRUE(heartbeat(session(), 1).has_value());
        mail.sent.clear();
    }

    std::optional<msg::PutTurn> turn(const msg::RoleAddress& who = session()) {
        server->on_message(who, msg::PutTurnRequest{Incarnation(1), 1});
        const auto reply = mail.last<msg::PutTurnReply>(who);
        return reply ? std::optional(reply->turn) : std::nullopt;
    }

    Result<Version> put(std::uint64_t request, const std::string& key,
                        std::optional<std::string> value) {
        return put_in(turn().value_or(msg::PutTurn{}), request, key, std::move(value));
    }

    Result<Version> put_in(const msg::PutTurn& its_turn, std::uint64_t request,
                           const std::string& key, std::optional<std::string> value) {
        server->on_message(
            session(), msg::ConfigPut{Incarnation(1), request, its_turn, key, std::move(value)});
        settle();
        const auto reply = mail.last<msg::ConfigPutReply>(session());
        if (!reply || reply->request != request) {
            return fail(Errc::timeout, "no answer");
        }
        return reply->result;
    }

    std::optional<msg::ConfigValue> watch(const msg::RoleAddress& who, const std::string& key,
                                          Version held = {}) {
        server->on_message(who, msg::ConfigInterest{{{key, held}}});
        settle();
        return mail.last<msg::ConfigValue>(who);
    }
};

TEST(MetaServerConfig, TellsWatchersOfEveryChangeUnderGrowingVersions) {
    ConfigStory story;
    ASSERT_TRUE(story.heartbeat(Story::session("other"), 1).has_value());
    const auto never_set = story.watch(Story::session("other"), "key");
    ASSERT_TRUE(never_set.has_value());
    EXPECT_EQ(never_set->version, Version());
    EXPECT_EQ(never_set->value, nullptr);

    Version last;
    for (const std::optional<std::string>& value :
         {std::optional<std::string>("one"), std::optional<std::string>("two"),
          std::optional<std::string>(), std::optional<std::string>("three")}) {
        story.clock.set_wall({.unix_ms = 1'000'000'000});
        const auto version = story.put(last.raw() + 1, "key", value);
        ASSERT_TRUE(version.has_value());
        EXPECT_GT(*version, last);
        const auto told = story.mail.last<msg::ConfigValue>(Story::session("other"));
        ASSERT_TRUE(told.has_value());
        EXPECT_EQ(told->version, *version);
        EXPECT_EQ(told->value != nullptr, value.has_value());
        if (value) {
            EXPECT_EQ(*told->value, *value);
        }
        last = *version;
    }
}

TEST(MetaServerConfig, AnswersInterestOnlyWithWhatIsNewer) {
    ConfigStory story;
    const auto version = story.put(1, "key", "value");
    ASSERT_TRUE(version.has_value());
    ASSERT_TRUE(story.watch(Story::session(), "key").has_value());
    EXPECT_FALSE(story.watch(Story::session(), "key", *version).has_value());
    ASSERT_TRUE(story.put(2, "key", std::nullopt).has_value());
    const auto cleared = story.watch(Story::session(), "key", *version);
    ASSERT_TRUE(cleared.has_value());
    EXPECT_EQ(cleared->value, nullptr);
    EXPECT_GT(cleared->version, *version);
}

TEST(MetaServerConfig, KeepsValuesAndVersionsAcrossRestartsWithTheClockSetBack) {
    ConfigStory story;
    const auto version = story.put(1, "key", "value");
    ASSERT_TRUE(version.has_value());
    ASSERT_TRUE(story.put(2, "gone", "x").has_value());
    const auto cleared = story.put(3, "gone", std::nullopt);
    ASSERT_TRUE(cleared.has_value());
    story.kill();
    story.clock.set_wall({.unix_ms = 5});
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    const auto told = story.watch(Story::session(), "key");
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->version, *version);
    EXPECT_EQ(*told->value, "value");
    const auto again = story.put(4, "gone", "y");
    ASSERT_TRUE(again.has_value());
    EXPECT_GT(*again, *cleared);
}

TEST(MetaServerConfig, CarriesADoubledPutOutOnceEvenAfterAnother) {
    ConfigStory story;
    const auto early = story.turn();
    ASSERT_TRUE(early.has_value());
    const auto first = story.put_in(*early, 1, "key", "one");
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "one"), first);
    const auto second = story.put(2, "key", "two");
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "one").error().code, Errc::conflict);
    EXPECT_EQ(*story.watch(Story::session(), "key")->value, "two");
    // A new life counts its requests anew: it is not answered for an earlier one.
    EXPECT_GT(story.put(1, "key", "one").value(), *second);
}

TEST(MetaServerConfig, RefusesAPutThatANewerOneOvertookWhoeverSentIt) {
    ConfigStory story;
    ASSERT_TRUE(story.heartbeat(Story::session("other"), 1).has_value());
    const auto late = story.turn(Story::session("other"));
    ASSERT_TRUE(late.has_value());
    ASSERT_TRUE(story.put(1, "key", "newer").has_value());
    // The same value again, and a key that was never set, count as changes too.
    ASSERT_TRUE(story.put(2, "never set", std::nullopt).has_value());
    EXPECT_EQ(story.put_in(*late, 3, "key", "older").error().code, Errc::conflict);
    EXPECT_EQ(story.put_in(*late, 4, "never set", "older").error().code, Errc::conflict);
    EXPECT_EQ(*story.watch(Story::session(), "key")->value, "newer");
    EXPECT_TRUE(story.put_in(*late, 5, "another key", "x").has_value());
}

TEST(MetaServerConfig, RefusesPutsOfAnEarlierLife) {
    ConfigStory story;
    const auto early = story.turn();
    ASSERT_TRUE(early.has_value());
    story.kill();
    story.start_and_settle();
    ASSERT_TRUE(story.heartbeat(Story::session(), 1).has_value());
    ASSERT_TRUE(story.turn().has_value());
    EXPECT_EQ(story.put_in(*early, 1, "key", "older").error().code, Errc::conflict);
    EXPECT_TRUE(story.put(2, "key", "newer").has_value());
}

TEST(MetaServerConfig, RefusesWhatIsOverItsLimitsWithAReason) {
    ConfigStory story;
    EXPECT_EQ(story.put(1, "", "x").error().code, Errc::invalid_argument);
    EXPECT_EQ(story.put(2, std::string(kConfigKeyBytesMax + 1, 'k'), "x").error().code,
              Errc::invalid_argument);
    EXPECT_EQ(story.put(3, "k", std::string(kConfigValueBytesMax + 1, 'v')).error().code,
              Errc::too_large);
    EXPECT_TRUE(story.put(4, "k", std::string(kConfigValueBytesMax, 'v')).has_value());
}

TEST(MetaServerConfig, StaysSilentWhileItDoesNotLead) {
    ConfigStory story;
    story.kill();
    story.start();
    for (const msg::ClusterMessage& message :
         {msg::ClusterMessage(msg::ConfigPut{Incarnation(1), 5, {}, "k", "v"}),
          msg::ClusterMessage(msg::ConfigPut{Incarnation(1), 5, {}, "", "v"}),
          msg::ClusterMessage(msg::PutTurnRequest{Incarnation(1), 5})}) {
        story.server->on_message(Story::session(), message);
        EXPECT_TRUE(story.mail.sent[Story::session()].empty());
    }
}

TEST(MetaServerConfig, TellsThePutterWhenTheDiskFails) {
    ConfigStory story;
    story.pass(seconds(1));
    story.mail.sent.clear();
    story.disk.fail_next(1, {Errc::io_error, "no space left"});
    EXPECT_EQ(story.put(1, "key", "value").error().code, Errc::io_error);
    EXPECT_FALSE(story.server->ready());
    story.pass(seconds(2));
    EXPECT_TRUE(story.server->ready());
    EXPECT_TRUE(story.put(1, "key", "value").has_value());
}

}  // namespace
}  // namespace muster::meta
