// What data nodes note for `muster history`, and what its checker says of notes that are missing or
// false.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

const Service kOrders{.data_id = "orders"};

class Histories : public testing::Test {
protected:
    Histories() {
        consumer.subscribe(kOrders, Scope::data_center);
        id = provider.publish(kOrders);
        story.wait(seconds(20));
        EXPECT_EQ(story.seen_by(consumer).size(), 1U);
        EXPECT_EQ(story.broken(), "");
    }
    // From now on the checker hears of notes what `change` makes of them; nothing: none.
    using Change = std::optional<history::Note> (*)(const history::Note&);
    void hear(Change change) {
        story.world.registry.on_noted = [this, change](Node& node, const history::Note& note) {
            if (const auto heard = change(note)) {
                story.world.history.on_noted(node, *heard);
            }
        };
    }
    static std::optional<history::Note> nothing(const history::Note&) {
        return std::nullopt;
    }

    Story story{Roles::apart};
    SimClient& provider = story.client(ClientKind::java);
    SimClient& consumer = story.client(ClientKind::native);
    RegistId id;
};

TEST_F(Histories, AgreeWithWhatClientsDo) {
    provider.update(id);
    const RegistId other = provider.publish(kOrders);
    story.wait(seconds(1));
    provider.withdraw(other);
    story.kill(Role::data);
    story.wait(seconds(1));
    story.restart(Role::data);
    story.wait(seconds(5));
    provider.kill(false);
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Histories, AreMissedWhenNobodyNotesThatItIsThere) {
    hear(nothing);
    const RegistId unnoted = provider.publish(kOrders);
    story.wait(seconds(1));
    EXPECT_THAT(story.broken(), HasSubstr("is shown " + unnoted.raw() + ", which nobody noted"));
}

TEST_F(Histories, AreMissedWhenNobodyNotesWhyItDisappeared) {
    hear(nothing);
    provider.kill(false);
    story.wait(seconds(1));
    EXPECT_THAT(story.broken(), HasSubstr("and nobody noted why"));
}

TEST_F(Histories, AreMissedAtRestWhenNobodyLooked) {
    consumer.kill(false);
    hear(nothing);
    provider.kill(false);
    EXPECT_THAT(story.broken_at_rest(), HasSubstr(id.raw() + " ended and nobody noted it"));
}

TEST_F(Histories, AreFalseWhenTheySayThatWhoWasKilledTookItBack) {
    hear([](const history::Note& note) -> std::optional<history::Note> {
        return history::Note{.at = note.at,
                             .slot = note.slot,
                             .what = note.what,
                             .why = note.why,
                             .cause = RemovalCause::left,
                             .publication = note.publication,
                             .by = note.by,
                             .version = note.version};
    });
    provider.kill(false);
    story.wait(seconds(1));
    EXPECT_THAT(story.broken(), HasSubstr("is noted as left although"));
}

TEST_F(Histories, AreFalseWhenTheyBlameASessionThatIsThere) {
    hear([](const history::Note& note) -> std::optional<history::Note> {
        return history::Note{.at = note.at,
                             .slot = note.slot,
                             .what = note.what,
                             .why = HistoryRecord::Why::session_ended,
                             .cause = note.cause,
                             .publication = note.publication,
                             .by = note.by,
                             .version = note.version};
    });
    provider.withdraw(id);
    story.wait(seconds(1));
    EXPECT_THAT(story.broken(), HasSubstr("is noted as session_ended although session-1 never"));
}

}  // namespace
}  // namespace muster::sim
