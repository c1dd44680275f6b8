#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "failure.h"
#include "frame_link.h"
#include "handles.h"
#include "list_cache.h"
#include "log_relay.h"
#include "mark_calls.h"
#include "msg/client_mark.h"
#include "roles/client/client.h"
#include "runtime/loop/loop.h"
#include "runtime/net/tcp_net.h"
#include "server_finder.h"
#include "settings.h"
#include "slow_worker.h"

namespace muster::sdk_core {

// One open client: the role, its socket and its loop on a thread of their own, and the handles of
// the user, which any thread may use.
//
//   any thread: check, note in the handle table, submit -> command queue
//   client thread: commands -> ClientRole -> FrameLink -> TcpNet
//                  ClientRole -> handles, callbacks, cache
//
// Lives from open() until close() has ended its thread, or to the end of the process: the table of
// open clients holds it. Any thread, but what is marked otherwise. Bounds: kCommandsMax commands
// wait; handles by ClientOptions.
class Core final : public std::enable_shared_from_this<Core>,
                   private client::ClientObserver,
                   private env::TimerTarget {
public:
    static constexpr std::size_t kCommandsMax = 1'000'000;

    // Errors: IO_ERROR, INVALID_ARGUMENT.
    [[nodiscard]] static Outcome<std::shared_ptr<Core>> open(StartPlan plan);
    ~Core() override;
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // The faces of muster.h, without their handles of C.
    [[nodiscard]] Outcome<void> close(Duration patience);
    [[nodiscard]] Outcome<void> await_connected(Duration patience);
    [[nodiscard]] Outcome<muster_stats> stats();

    [[nodiscard]] Outcome<std::uint64_t> add_registration(client::PublicationSpec spec,
                                                          muster_registered_fn callback,
                                                          UserContext& context);
    [[nodiscard]] Outcome<void> update(std::uint64_t number, client::PublicationSpec spec);
    [[nodiscard]] Outcome<void> unregister(std::uint64_t number);
    [[nodiscard]] Outcome<void> await_registered(std::uint64_t number, Duration patience);

    [[nodiscard]] Outcome<std::uint64_t> subscribe(client::ListKey key, muster_list_fn callback,
                                                   UserContext& context);
    [[nodiscard]] Outcome<void> unsubscribe(std::uint64_t number);
    [[nodiscard]] Outcome<std::uint64_t> find_subscription(const Service& service);
    [[nodiscard]] Outcome<ListRef> current_list(std::uint64_t number);
    [[nodiscard]] Outcome<ListRef> await_list(std::uint64_t number, Duration patience);

    struct Picked {
        ListRef list;
        std::size_t index = 0;
        CallCount calls;
    };
    // The picked endpoint's count has been raised.
    [[nodiscard]] Outcome<Picked> pick(std::uint64_t number, const muster_pick_options& options);

    // Waits for the answer so long, and some seconds more. Errors: those of the registry and of
    // waiting.
    [[nodiscard]] Outcome<msg::MarkOutcome> mark(msg::MarkWish wish, Duration patience);

    [[nodiscard]] Outcome<std::uint64_t> watch(Service key, muster_config_fn callback,
                                               UserContext& context);
    [[nodiscard]] Outcome<void> unwatch(std::uint64_t number);

    [[nodiscard]] const std::string& zone() const {
        return zone_;
    }

    // The process ends: no callback begins any more, the thread ends within `patience` or is left
    // behind.
    void abandon(Duration patience);

private:
    using Command = std::move_only_function<void()>;
    using Subscriptions = std::vector<std::shared_ptr<SubscriptionHandle>>;
    enum class Timer : std::uint64_t { close, find_servers, write_cache };

    // What is known of one subscribed list. Client's thread.
    struct HeldList {
        ListRef newest;
        Subscriptions subscribers;
    };
    struct HeldConfig {
        std::optional<client::ConfigState> newest;
        std::vector<std::shared_ptr<WatchHandle>> watchers;
    };

    explicit Core(const Settings& settings);
    [[nodiscard]] Outcome<void> set_up(Settings settings);
    [[nodiscard]] Outcome<void> note_file_wishes(FileWishes wishes);
    [[nodiscard]] Outcome<void> start_thread();

    // ---- any thread; `lock` holds mutex_
    [[nodiscard]] Outcome<void> check_usable() const;
    [[nodiscard]] Outcome<void> check_may_wait(const char* what) const;
    [[nodiscard]] bool on_client_thread() const {
        return std::this_thread::get_id() == thread_id_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] Outcome<void> submit(Command command);
    template <typename Done>
    [[nodiscard]] Outcome<void> await(std::unique_lock<std::mutex>& lock, Duration patience,
                                      const char* what, Done done);
    [[nodiscard]] std::shared_ptr<SubscriptionHandle> find_locked(std::uint64_t number) const;
    [[nodiscard]] Outcome<std::shared_ptr<SubscriptionHandle>> find(std::uint64_t number) const;

    // ---- client's thread
    void run();
    void tear_down();
    void drain_commands();
    void begin_close(Duration patience);
    void finish_close();
    void refresh_stats();
    void wake_waiters();
    void do_register(const std::shared_ptr<RegistrationHandle>& handle,
                     client::PublicationSpec spec);
    void do_update(const std::shared_ptr<RegistrationHandle>& handle, client::PublicationSpec spec);
    void do_subscribe(const std::shared_ptr<SubscriptionHandle>& handle);
    void do_unsubscribe(const std::shared_ptr<SubscriptionHandle>& handle);
    void do_watch(const std::shared_ptr<WatchHandle>& handle);
    void do_unwatch(const std::shared_ptr<WatchHandle>& handle);
    void tell(SubscriptionHandle& handle, const ListRef& list);
    void tell(WatchHandle& handle, const client::ConfigState& config);
    void answer(RegistrationHandle& handle, std::int64_t version, const Result<void>& result);
    void answer(const std::shared_ptr<MarkCall>& call, Result<msg::MarkOutcome> outcome);
    void find_servers();
    void write_cache();

    void on_list(const client::ListKey& key, const client::ListState& list) override;
    void on_config(const Service& key, const client::ConfigState& config) override;
    void on_state(client::ClientState state, const std::string& server) override;
    void on_registered(const RegistId& id, std::int64_t version,
                       const Result<void>& result) override;
    void on_timer(env::TimerKey key) override;

    const std::string zone_;
    const std::string asked_by_;      // of drains: the program's name
    const std::uint64_t fork_count_;  // of the process that opened it
    std::size_t registrations_max_;
    std::size_t subscriptions_max_;

    // ---- client's thread, destroyed there
    LogRelay log_relay_;
    Log log_;
    std::unique_ptr<runtime::Loop> loop_;  // stays: other threads post
    std::unique_ptr<runtime::TcpNet> net_;
    std::unique_ptr<runtime::LoopTimers> role_timers_;
    std::unique_ptr<runtime::LoopTimers> own_timers_;
    std::unique_ptr<FrameLink> link_;
    std::unique_ptr<client::ClientRole> role_;
    std::optional<MarkCalls> marks_;
    std::vector<ServerFinder::Place> places_;  // to be asked for servers
    std::vector<std::string> known_servers_;
    std::optional<ListCache> cache_;
    SlowWorker slow_;
    std::set<client::ListKey> dirty_;  // lists to be written to the cache
    std::map<RegistId, std::shared_ptr<RegistrationHandle>> by_id_;
    std::map<client::ListKey, HeldList> lists_;
    std::map<Service, HeldConfig> configs_;
    std::uint64_t stale_lists_ = 0;
    bool finishing_ = false;
    bool finding_ = false;  // a search for servers is under way
    client::ClientState state_ = client::ClientState::stopped;

    // ---- any thread
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t waiters_ = 0;
    std::vector<Command> commands_;
    std::map<std::uint64_t, std::shared_ptr<RegistrationHandle>> registrations_;
    std::map<std::uint64_t, std::shared_ptr<SubscriptionHandle>> subscriptions_;
    std::map<std::uint64_t, std::shared_ptr<WatchHandle>> watches_;
    std::uint64_t last_number_ = 0;
    muster_stats stats_{};
    bool closing_ = false;
    bool ended_ = false;  // the thread has nothing more to do
    std::thread thread_;  // moved out by whom joins or leaves it
    std::atomic<std::thread::id> thread_id_;
    std::atomic<bool> quiet_{false};  // no callback may begin
};

// How often this process came out of a fork().
[[nodiscard]] std::uint64_t fork_count();

}  // namespace muster::sdk_core
