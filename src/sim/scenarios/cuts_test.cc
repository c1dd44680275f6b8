#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

const std::vector<Service> kServices{
    {.data_id = "orders"}, {.data_id = "stock"}, {.data_id = "users"}, {.data_id = "prices"}};

// Two data servers that each lead one slot and follow the other, and one session.
class CutOff : public ::testing::Test {
protected:
    CutOff() {
        for (const Service& service : kServices) {
            ids.push_back(provider.publish(service));
            consumer.subscribe(service, Scope::data_center);
        }
        story.wait(seconds(20));
    }
    void cut(const std::string& one, const std::string& other) {
        story.world.cuts.cut(Cuts::between({one}, {other}));
    }
    void change_all() {
        for (const RegistId& id : ids) {
            provider.update(id);
        }
    }

    Story story{
        RegistryOptions{.metas = 1, .data = 2, .sessions = 1, .slots = 2, .copies = 2, .zones = 1}};
    SimClient& provider = story.client(ClientKind::native);
    SimClient& consumer = story.client(ClientKind::native);
    std::vector<RegistId> ids;
};

// It comes back to one leader with what another acted for, and asks it to act for a slot that it
// will not act for.
TEST_F(CutOff, ASessionComesBackToOneLeaderBeforeTheOther) {
    cut("data-1", "session-1");
    cut("data-1", "data-2");
    story.wait(seconds(3));
    change_all();
    story.wait(seconds(1));
    cut("data-2", "session-1");
    story.wait(seconds(3));
    change_all();
    story.world.cuts.open_all();
    cut("data-2", "session-1");
    story.wait(seconds(3));
    story.world.cuts.open_all();
    story.wait(seconds(10));
    EXPECT_EQ(story.differs(), "");
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
