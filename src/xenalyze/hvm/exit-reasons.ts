/** Why a guest is left, as one kind of processor numbers it. */
export interface ExitReasons {
  readonly names: readonly (string | undefined)[];
  /** Reasons are below it; one that equals it is tolerated. */
  readonly max: number;
  /** Reasons after which no handler's record is missed. */
  readonly quiet: ReadonlySet<number>;
}

export const EXTERNAL_INTERRUPT = 1;
export const APIC_ACCESS = 44;
export const EPT_VIOLATION = 48;
export const NESTED_PAGE_FAULT = 1024;

/** Of Intel processors; a dash where there is none. */
const VMX_NAMES = `
EXCEPTION_NMI EXTERNAL_INTERRUPT TRIPLE_FAULT INIT SIPI IO_SMI OTHER_SMI PENDING_INTERRUPT
PENDING_VIRT_NMI TASK_SWITCH CPUID GETSEC HLT INVD INVLPG RDPMC
RDTSC RSM VMCALL VMCLEAR VMLAUNCH VMPTRLD VMPTRST VMREAD
VMRESUME VMWRITE VMOFF VMON CR_ACCESS DR_ACCESS IO_INSTRUCTION MSR_READ
MSR_WRITE INVALID_GUEST_STATE MSR_LOADING - MWAIT_INSTRUCTION MONITOR_TRAP_FLAG - MONITOR_INSTRUCTION
PAUSE_INSTRUCTION MACHINE_CHECK - TPR_BELOW_THRESHOLD APIC_ACCESS - - -
EPT_VIOLATION EPT_MISCONFIG INVEPT RDTSCP VMX_PREEMPTION_TIMER_EXPIRED INVVPID WBINVD XSETBV`;

/** Of AMD processors, after the 64 accesses to registers. */
const SVM_NAMES = `
EXCEPTION_DE EXCEPTION_DB EXCEPTION_NMI EXCEPTION_BP EXCEPTION_OF EXCEPTION_BR EXCEPTION_UD EXCEPTION_NM
EXCEPTION_DF EXCEPTION_09 EXCEPTION_TS EXCEPTION_NP EXCEPTION_SS EXCEPTION_GP EXCEPTION_PF EXCEPTION_15
EXCEPTION_MF EXCEPTION_AC EXCEPTION_MC EXCEPTION_XF EXCEPTION_20 EXCEPTION_21 EXCEPTION_22 EXCEPTION_23
EXCEPTION_24 EXCEPTION_25 EXCEPTION_26 EXCEPTION_27 EXCEPTION_28 EXCEPTION_29 EXCEPTION_30 EXCEPTION_31
INTR NMI SMI INIT VINTR CR0_SEL_WRITE IDTR_READ GDTR_READ
LDTR_READ TR_READ IDTR_WRITE GDTR_WRITE LDTR_WRITE TR_WRITE RDTSC RDPMC
PUSHF POPF CPUID RSM IRET SWINT INVD PAUSE
HLT INVLPG INVLPGA IOIO MSR TASK_SWITCH FERR_FREEZE SHUTDOWN
VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT RDTSCP
ICEBP WBINVD MONITOR MWAIT MWAIT_CONDITIONAL`;

const words = (text: string) => text.trim().split(/\s+/);
const registers = ['CR%_READ', 'CR%_WRITE', 'DR%_READ', 'DR%_WRITE'].flatMap((name) =>
  Array.from({ length: 16 }, (_, number) => name.replace('%', `${number}`)),
);

const svmNames: (string | undefined)[] = [...registers, ...words(SVM_NAMES)].map((name) => `VMEXIT_${name}`);
svmNames[NESTED_PAGE_FAULT] = 'VMEXIT_NPF';

export const VMX_REASONS: ExitReasons = {
  names: words(VMX_NAMES).map((name) => (name === '-' ? undefined : name)),
  max: 56,
  // PENDING_INTERRUPT, TPR_BELOW_THRESHOLD, WBINVD
  quiet: new Set([7, 43, 54]),
};

/** As --svm-mode has them. */
export const SVM_REASONS: ExitReasons = { names: svmNames, max: 1025, quiet: new Set() };

/** As events of their own (since Xen 4.19) have them: without VINTR, PAUSE. */
export const SVM_EVENT_REASONS: ExitReasons = { ...SVM_REASONS, quiet: new Set([100, 119]) };
