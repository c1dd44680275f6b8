#include "apps/load/native_frames.h"

#include <gtest/gtest.h>

#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::load {
namespace {

const Service kService{.data_id = "orders"};

bolt::Frame only_frame(const std::string& bytes) {
    const auto decoded = bolt::decode_frame(bytes, {});
    EXPECT_EQ(decoded.outcome, bolt::Decode::message);
    EXPECT_EQ(decoded.size, bytes.size());
    return decoded.frame;
}

std::string reply_frame(const std::string& content, bolt::Status status) {
    std::string frame;
    bolt::append_frame(frame, {.head = bolt::response_to({.request_id = 7}, status),
                               .class_name = native::kReplyClass,
                               .content = content});
    return frame;
}

TEST(NativeFrames, AreWhatTheDoorReads) {
    const std::string bytes = native_frame(
        msg::RegisterPublishers{.request = msg::RequestId(7),
                                .publications = {publication(kService, "p-1", 3, "192.0.2.1:1")}});
    const bolt::Frame frame = only_frame(bytes);
    EXPECT_EQ(frame.head.request_id, 7);
    EXPECT_EQ(frame.head.type, bolt::FrameType::request);
    const auto read =
        native::decode_request(frame.class_name, frame.content,
                               {.request = msg::RequestId(7), .client_address = "127.0.0.1:2"}, {});
    ASSERT_TRUE(read.has_value());
    const auto& taken = std::get<msg::RegisterPublishers>(*read).publications;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0]->id.raw(), "p-1");
    EXPECT_EQ(*taken[0]->service, kService);
    EXPECT_EQ(taken[0]->order.version, 3);
}

TEST(NativeFrames, ReadAPushAndAcknowledgeIt) {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<const Service>(kService);
    view->version = Version(9);
    view->complete = true;
    const std::string content = native::encode(
        msg::Push{.view = view, .scope = Scope::data_center, .zone = "a", .subscribers = {}});
    std::string bytes;
    bolt::append_frame(bytes, {.head = {.type = bolt::FrameType::oneway},
                               .class_name = native::kPushClass,
                               .content = content});
    const bolt::Frame frame = only_frame(bytes);
    EXPECT_TRUE(is_native_push(frame));
    const auto told = native_push(frame);
    ASSERT_TRUE(told.has_value());
    const std::string ack_bytes = native_ack(*told, false);
    const bolt::Frame ack = only_frame(ack_bytes);
    EXPECT_EQ(ack.head.type, bolt::FrameType::oneway);
    const auto read = native::decode_request(ack.class_name, ack.content, {}, {});
    ASSERT_TRUE(read.has_value());
    const auto& said = std::get<msg::PushAck>(*read);
    EXPECT_EQ(said.version, Version(9));
    EXPECT_EQ(said.zone, "a");
    EXPECT_FALSE(said.ok);
}

TEST(NativeFrames, RefuseWhatIsNoPush) {
    const std::string hint_content = native::encode(msg::ServerHint{.servers = {"192.0.2.1:1"}});
    const bolt::Frame hint{.head = {.type = bolt::FrameType::oneway},
                           .class_name = native::kServerHintClass,
                           .content = hint_content};
    EXPECT_FALSE(is_native_push(hint));
    EXPECT_EQ(native_push(hint).error().code, Errc::bad_content);
    const bolt::Frame torn{.class_name = native::kPushClass, .content = "\xff\xff"};
    EXPECT_FALSE(native_push(torn).has_value());
}

TEST(NativeFrames, TellTheOutcomesOfAReplyOrWhyItFailedAsAWhole) {
    const std::string good_bytes =
        reply_frame(native::encode(msg::RequestReply{
                        .request = msg::RequestId(7),
                        .outcomes = {{.id = RegistId("a"), .version = 1, .result = {}},
                                     {.id = RegistId("b"),
                                      .version = 1,
                                      .result = fail(Errc::over_limit, "in 3 s")}}}),
                    bolt::Status::success);
    const auto reply = native_reply(only_frame(good_bytes));
    ASSERT_TRUE(reply.has_value());
    ASSERT_EQ(reply->outcomes.size(), 2U);
    EXPECT_EQ(reply->outcomes[1].result.error().code, Errc::over_limit);

    const std::string bad_bytes =
        reply_frame(native::encode_failure({Errc::too_large, "items"}), bolt::Status::error);
    EXPECT_EQ(native_reply(only_frame(bad_bytes)).error().code, Errc::too_large);
}

}  // namespace
}  // namespace muster::load
