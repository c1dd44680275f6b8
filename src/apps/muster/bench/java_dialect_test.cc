#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/load/java_frames.h"
#include "apps/load/native_frames.h"
#include "apps/muster/bench/audience.h"
#include "apps/muster/bench/dialect.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"
#include "wire/golden/golden_vectors.h"

namespace muster::cli::bench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class JavaDialectTest : public testing::Test {
protected:
    // The ids of the frames in `bytes`.
    static std::vector<std::int32_t> ids_in(std::string_view bytes) {
        std::vector<std::int32_t> ids;
        while (!bytes.empty()) {
            const auto decoded = bolt::decode_frame(bytes, {});
            EXPECT_EQ(decoded.outcome, bolt::Decode::message);
            if (decoded.outcome != bolt::Decode::message) {
                break;
            }
            ids.push_back(decoded.frame.head.request_id);
            bytes.remove_prefix(decoded.size);
        }
        return ids;
    }
    // What a Java server answered, to another request.
    Result<Dialect::Heard> answer(std::int32_t id, const std::string& name) {
        const auto vector = golden::read_vector(golden::folder(MUSTER_SOURCE_ROOT), name);
        EXPECT_TRUE(vector.has_value());
        bolt::Frame frame = bolt::decode_frame(vector->bytes, {}).frame;
        frame.head.request_id = id;
        return dialect_->hear(frame);
    }
    msg::RegisterPublishers two() const {
        msg::RegisterPublishers request{.request = msg::RequestId(7), .publications = {}};
        for (std::uint32_t entry = 0; entry < 2; ++entry) {
            request.publications.push_back(load::publication(
                names_.service(0), names_.entry(0, entry), 1, RunNames::box(entry, 1)));
        }
        return request;
    }

    RunNames names_{7};
    std::unique_ptr<Dialect> dialect_ = java_dialect(names_);
};

TEST_F(JavaDialectTest, ARequestIsAFrameForEachItemAndOneAnswer) {
    const auto ids = ids_in(dialect_->say(two()));
    ASSERT_EQ(ids.size(), 2U);
    EXPECT_NE(ids[0], ids[1]);
    const auto first = answer(ids[1], "v663-register-response-failed");
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(first->answer.has_value());
    const auto second = answer(ids[0], "v542-register-response-ok");
    ASSERT_TRUE(second->answer.has_value());
    EXPECT_EQ(second->answer->request, 7U);
    ASSERT_EQ(second->answer->reply->outcomes.size(), 2U);
    EXPECT_TRUE(second->answer->reply->outcomes[0].result.has_value());
    EXPECT_EQ(second->answer->reply->outcomes[1].result.error().code, Errc::refused);
    EXPECT_FALSE(answer(ids[0], "v542-register-response-ok")->answer.has_value()) << "once";
}

TEST_F(JavaDialectTest, LeavingAndListeningAreFramesToo) {
    const auto service = std::make_shared<const Service>(names_.service(0));
    const auto left = dialect_->say(msg::UnregisterPublishers{
        .request = msg::RequestId(1), .items = {{.id = RegistId("a"), .service = service}}});
    EXPECT_EQ(ids_in(left), std::vector<std::int32_t>{1});
    EXPECT_THAT(left, AllOf(HasSubstr("PublisherRegister"), HasSubstr("UNREGISTER")));
    msg::Subscribe wish{.request = msg::RequestId(2), .items = {}};
    wish.items.push_back({.subscription = {.id = RegistId("s"), .service = service}});
    const auto listens = dialect_->say(wish);
    EXPECT_EQ(ids_in(listens), std::vector<std::int32_t>{2});
    EXPECT_THAT(listens, AllOf(HasSubstr("SubscriberRegister"), Not(HasSubstr("UNREGISTER"))));
    const auto stops = dialect_->say(msg::Unsubscribe{
        .request = msg::RequestId(3), .items = {{.id = RegistId("s"), .service = service}}});
    EXPECT_EQ(ids_in(stops), std::vector<std::int32_t>{3});
    EXPECT_THAT(stops, AllOf(HasSubstr("SubscriberRegister"), HasSubstr("UNREGISTER")));
    EXPECT_TRUE(dialect_->say(msg::PushAck{.service = service, .zone = {}}).empty())
        << "it was acknowledged when it was heard";
}

TEST_F(JavaDialectTest, AListIsAcknowledgedWhenItIsHeard) {
    const auto heard = answer(5, "v542-push-data-basic");
    ASSERT_TRUE(heard.has_value());
    ASSERT_TRUE(heard->push.has_value());
    EXPECT_TRUE(heard->push->view->publications.empty()) << "none of this run";
    EXPECT_TRUE(heard->push->view->complete);
    EXPECT_EQ(ids_in(heard->at_once), std::vector<std::int32_t>{5});
}

TEST_F(JavaDialectTest, EntriesAreKnownByTheirBoxes) {
    const auto state = RunNames::state_in(RunNames::box(12, 34));
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->entry, 12U);
    EXPECT_EQ(state->version, 34U);
    for (const char* box :
         {"", "10.0.0.1:80", "10.0.0.1:80?m.entry=x&m.version=1", "10.0.0.1:80?m.entry=1"}) {
        EXPECT_FALSE(RunNames::state_in(box).has_value()) << box;
    }
}

}  // namespace
}  // namespace muster::cli::bench
